"""What people answer, in their own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion_platform.messaging.replies import classify
from conversion_platform.messaging.rules import rules

KEYWORDS = [
    *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE"),
    *("OPTOUT", "OPT-OUT", "OPT OUT", "REMOVE", "TD", "ARRET"),
]


@given(
    word=st.sampled_from(KEYWORDS),
    before=st.text(" \t\n.,!?*-\"'()", max_size=3),
    after=st.text(" \t\n.,!?*-\"'()", max_size=3),
    upper=st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
)
def test_every_stop_keyword_counts_in_any_case_and_punctuation(
    word: str, before: str, after: str, upper: object
) -> None:
    assert classify(before + upper(word) + after).kind == "stop"  # type: ignore[operator]


@pytest.mark.parametrize(
    "body",
    [
        "please stop texting me",
        "stop!!",
        "no more",
        "No more texts please",
        "wrong number",
        "You have the wrong number, I'm not Maria",
        "STOP STOP STOP",
        "Stop it",
        "pls stop",
        "Stop sending me these",
        "stop with the spam messages already, stop messaging",
        "Don't text me again",
        "Don\u2019t text me",
        "do not contact me",
        "dont send me these anymore",
        "take me off your list",
        "Remove me",
        "remove my number",
        "Please unsubscribe me",
        "I'd like to opt out of this",
        "I no longer want these",
        "leave me alone",
        "lose my number",
        "I revoke my consent",
        "I want out",
        "never text this number again",
        "arrêt",
        "Arrête",
        "no más mensajes",
        "número equivocado",
        "BASTA",
        "not my number",
        "fuck off",
    ],
)
def test_any_reasonable_wording_of_an_opt_out_counts(body: str) -> None:
    assert classify(body).kind == "stop"


@pytest.mark.parametrize(
    "body",
    [
        "stpo",
        "sotp",
        "S T O P",
        "stopp",
        "unsubscibe",
        "don't stop",
        "I can't stop thinking about it",
        "is that by the bus stop?",
        "not interested",
        "no",
        "No thanks",
        "nope",
        "who is this?",
        "is this spam",
        "I will call my lawyer",
        "he died",
        "🛑",
        "",
        "   ",
        "停止发送",
        "прекратите",
        "توقف",
        "start or stop?",
    ],
)
def test_what_may_be_an_opt_out_suppresses_and_is_flagged(body: str) -> None:
    meaning = classify(body)
    assert meaning.kind == "unsure"
    assert meaning.suppresses


@pytest.mark.parametrize(("body", "kind"), [("START", "start"), ("yes!", "start")])
def test_back_in(body: str, kind: str) -> None:
    assert classify(body).kind == kind
    assert classify(" unstop. ").kind == kind


@pytest.mark.parametrize("body", ["HELP", "help?", "Info"])
def test_help_is_a_keyword_alone(body: str) -> None:
    assert classify(body).kind == "help"


@pytest.mark.parametrize(
    "body",
    [
        "what does it pay?",
        "I'm in",
        "yes please",
        "can you text me tomorrow instead?",
        "asdf qwer",
        "👍",
        "ok thanks",
        "what is the address",
        "help me find it please",
        "¿cuánto pagan?",
        "already applied",
    ],
)
def test_questions_and_nonsense_change_nothing(body: str) -> None:
    meaning = classify(body)
    assert meaning.kind == "other"
    assert not meaning.suppresses


@given(st.text(max_size=200))
def test_no_answer_breaks_the_reader(body: str) -> None:
    assert classify(body).kind in ("stop", "start", "help", "unsure", "other")


@given(st.text(max_size=40), st.sampled_from(["stop", "unsubscribe", "cancel"]))
def test_a_stop_word_of_its_own_anywhere_is_never_taken_for_nothing(rest: str, word: str) -> None:
    assert classify(f"{rest} {word} {rest}").suppresses


def test_each_rule_names_its_source() -> None:
    found = rules()
    everything = [*found.hours, *found.frequency, *found.keywords, *found.wordings]
    assert all(rule.source for rule in everything)
    ids = [rule.rule_id for rule in everything]
    assert len(set(ids)) == len(ids)
