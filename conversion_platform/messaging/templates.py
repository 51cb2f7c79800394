"""The body of a message: one sandboxed Jinja template for each cohort, checked before anything is
planned.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from conversion_platform.errors import MessagingError, SettingsError
from conversion_platform.messaging.segments import transliterate

if TYPE_CHECKING:
    from conversion_platform.settings import Settings

VARIABLES: dict[str, str] = {
    "sender": "`messaging.sender`",
    "cohort": "Name of the cohort",
    "title": "The job's title",
    "pay": "The job's pay: `18` or `18.50`",
    "category": "The job's category",
    "employer": "The job's `employer_id`",
    "region": "The job's region",
    "shift": "The job's shift",
    "distance_km": "Whole kilometres from user to job, where both have coordinates",
    "distance_miles": "Whole miles from user to job, where both have coordinates",
    "link": "`messaging.link_base` and a token of the message",
}
TEMPLATE_ERRORS = (TypeError, ValueError, ArithmeticError, LookupError)
SAMPLE: dict[str, Any] = dict.fromkeys(VARIABLES, "1")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
# Not in an ellipsis, and not inside an address.
_STOP_AFTER_MARK = re.compile(r"(?<!\.)([.!?])\.(?=\s|$)")


class MissingValueError(MessagingError):
    """A template prints a value that this job or user does not have."""


class TemplateFailsError(MessagingError):
    """A template cannot be rendered with the values of this job or user."""


class Templates:
    """The compiled templates of every cohort.

    Raises:
        SettingsError: a template is not valid Jinja, uses an unknown variable, does something
            that the sandbox forbids, or does not say how to stop; cohort and variable are named.
    """

    def __init__(self, settings: Settings) -> None:
        self._sender = settings.messaging.sender
        self._plain = settings.messaging.transliterate
        environment = _environment()
        self._compiled = {
            name: _checked(environment, name, cohort.template)
            for name, cohort in settings.cohorts.items()
        }

    def render(self, cohort: str, values: Mapping[str, Any]) -> str:
        """Return the body for one person.

        Args:
            cohort: Name of the cohort.
            values: Values of VARIABLES; None where the job or the user has none.

        Raises:
            MissingValueError: the template prints a value that is None (guard it with `{% if %}`).
            TemplateFailsError: it computes with a value that does not allow it (1 / 0).
            MessagingError: the cohort is not in the settings.
        """
        from jinja2 import UndefinedError

        template = self._compiled.get(cohort)
        if template is None:
            raise MessagingError(
                f"There is no cohort `{cohort}` in the settings, but an assignment is in it.",
                "Assign the day again (`conversion-platform run`) after changing the cohorts.",
            )
        known = {name: shown(value) for name, value in values.items() if value is not None}
        try:
            text = template.render(known, sender=self._sender, cohort=cohort)
        except UndefinedError as error:
            raise MissingValueError(
                f"Cohort `{cohort}`: {error.message}.",
                "Guard it in the template: {% if NAME %}...{% endif %}.",
            ) from None
        except TEMPLATE_ERRORS as error:
            # The cause may quote a value of the job or user.
            raise TemplateFailsError(
                f"The template of cohort `{cohort}` fails ({type(error).__name__}).",
                f"Correct cohorts.{cohort}.template, so that it works for every value.",
            ) from None
        return tidy(transliterate(text) if self._plain else text)


def shown(value: Any) -> str:
    """Return a value as it stands in a body: one line, no needless decimals."""
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) else f"{value:.2f}"
    return _CONTROL.sub(" ", str(value)).strip()


def tidy(text: str) -> str:
    """One blank for each run of blanks; line breaks of the template stay.

    A value that ends in `!`, `?` or `.` keeps its mark, and the template's full stop after it goes.
    """
    return _STOP_AFTER_MARK.sub(r"\1", re.sub(r"[ \t]+", " ", text)).strip()


def _environment() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Absent(StrictUndefined):
        """Strict when printed, but `{% if pay %}` may ask whether it is there."""

        def __bool__(self) -> bool:  # type: ignore[override]
            return False

    # A text message is not HTML: escaping would send `&amp;` to people's phones.
    return ImmutableSandboxedEnvironment(undefined=Absent, autoescape=False)


def _checked(environment: Any, cohort: str, source: str) -> Any:
    from jinja2 import TemplateError, meta

    where = f"The template of cohort `{cohort}` (cohorts.{cohort}.template)"
    try:
        unknown = meta.find_undeclared_variables(environment.parse(source)) - set(VARIABLES)
        if unknown:
            raise _unknown_variable(where, sorted(unknown)[0])
        template = environment.from_string(source)
        sample = template.render(SAMPLE)
    except (TemplateError, *TEMPLATE_ERRORS) as error:
        raise SettingsError(f"{where} does not work: {error}.", "Correct the template.") from None
    if not re.search(r"\bstop\b", sample, re.IGNORECASE):
        raise SettingsError(
            f"{where} does not say how to stop the messages.", "Add `Reply STOP to opt out`."
        )
    return template


def _unknown_variable(where: str, name: str) -> SettingsError:
    near = difflib.get_close_matches(name, list(VARIABLES), n=1, cutoff=0.5)
    hint = f"Did you mean `{near[0]}`? " if near else ""
    return SettingsError(
        f"{where} uses the unknown variable `{name}`.",
        f"{hint}There are: {', '.join(VARIABLES)}.",
    )
