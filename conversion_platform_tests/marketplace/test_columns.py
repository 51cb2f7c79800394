"""What a column is, by its name and by its values."""

from __future__ import annotations

from datetime import date

import pytest

from conversion_platform.marketplace.columns import Kind, Table, by_name, classified
from conversion_platform.marketplace.headers import snake

UNTIL = date(2026, 1, 1)
PERSONAL_NAMES = [
    "first_name",
    "kin",
    "next_of_kin",
    "emergency_contact",
    "home",
    "home_address",
    "contact_mail",
    "candidate_name",
    "date_of_birth",
    "dob",
    "ssn",
    "iban",
    "lat",
    "lon",
    "ip",
    "profile_url",
    "linkedin",
    "name",
    "phonenumber",
    "birth_year",
    "zip_code",
    "mobile_2",
    "email",
    "dateofbirth",
    "notes",
    "home_phone",
    "street",
    "whatsapp",
    "photo",
    "yob",
    "manager",
    "tax_no",
    "sin",
    "dni",
    *("first", "last", "given", "family", "first_last", "geohash", "poc", "ask_for"),
]
PROTECTED_NAMES = [
    "gender",
    "sex",
    "age",
    "age_group",
    "race",
    "ethnicity",
    "religion",
    "disability_status",
    "is_veteran",
    "marital_status",
    "pregnant",
    "nationality",
    "citizenship",
    "sexual_orientation",
    "orientation",
    "union_member",
    "self_identified_race",
    "salutation",
    "anrede",
    "geschlecht",
    "sexo",
    "alter",
    "church",
    "wheelchair",
    "country_of_origin",
    "mother_tongue",
    *("female", "male", "is_male", "gndr", "years_old", "alter_jahre", "hiv_status", "blood_type"),
    *("politics", "felony", "conviction", "family_size"),
]
BESIDE_A_PROTECTED_WORD = [
    *("user_{}", "applicant_{}", "candidate_{}", "{}_code", "{}_id", "{}_group", "{}_flag"),
    *("{}_band", "{}_desc", "{}_2", "{}2", "2_{}", "{}_2_2"),
]
GLUED_NAMES = [
    *("maritalstatus", "raceethnicity", "sexualorientation", "genderidentity", "veteranstatus"),
    *("disabilitystatus", "agegroup", "applicantage", "usersex", "sexatbirth", "racecode"),
    *("unionmembership", "countryoforigin", "religiousbelief", "estadocivil", "familienstand_2"),
]
NAMES_OF_OTHER_LANGUAGES = [
    *("estado_civil", "etat_civil", "raza", "genero", "etnia", "hijos", "discapacidad"),
    *("staatsangehorigkeit", "schwerbehinderung", "religionszugehorigkeit", "hautfarbe"),
    *("nationalite", "handicap", "civilite", "situation_familiale_matrimoniale", "idade", "raca"),
    *("geslacht", "leeftijd", "nazionalita", "sesso"),
    *("пол", "возраст", "гражданство", "性别", "用户性别", "年龄"),
]
HARMLESS_NAMES = [
    *("stage", "wage", "page", "average", "trace", "terrace", "sextant", "engagement", "package"),
    *("language", "usage", "mileage", "percentage", "message", "storage", "coverage", "manager_id"),
    *(
        "bandage",
        "personage",
        "overage",
        "forecaster",
        "broadcast",
        "pronounced",
        "halter",
        "essex",
    ),
    *(
        "reunion",
        "communion",
        "racer",
        "racetrack",
        "embrace",
        "original",
        "colored_pens",
        "agenda",
    ),
    *(
        "account_age",
        "age_of_account",
        "international",
        "stage_2",
        "page2",
        "wage_band",
        "race_wins",
    ),
]
PERSONAL_NAMES_OF_OTHER_LANGUAGES = {
    "German": [
        *(
            "Vorname",
            "Nachname",
            "Geburtsdatum",
            "Telefon",
            "Handy",
            "Straße",
            "PLZ",
            "Ort",
            "Name",
        ),
        *("geburts_datum", "Telefon-Nr.", "Handynummer", "Anschrift", "Hausnummer", "Wohnort"),
        *(
            "TELEFONNUMMER",
            "bewerberVorname",
            "Geb.-Datum",
            "Lebenslauf",
            "Benutzername",
            "strasse_2",
        ),
    ],
    "French": [
        *(
            "Prénom",
            "nom",
            "NOM",
            "nomDeFamille",
            "date_naissance",
            "Date de naissance",
            "téléphone",
        ),
        *("adresse", "Adresse 2", "code_postal", "CP", "courriel", "Rue", "nom_complet"),
    ],
    "Spanish": [
        *("nombre", "Nombres", "apellido", "Apellidos", "primerApellido", "fecha_nacimiento"),
        *("teléfono", "Móvil", "dirección", "calle", "correo_electronico", "Cumpleaños"),
    ],
    "Dutch": [
        *("voornaam", "achternaam", "Naam", "geboortedatum", "Geboorteplaats", "telefoon"),
        *("telefoonnummer", "adres", "straat", "huisnummer", "woonplaats", "tussenvoegsel"),
    ],
    "Italian": [
        *("nome", "cognome", "Data di nascita", "telefono", "cellulare", "indirizzo", "CAP"),
        *("codice_fiscale", "nomeCompleto"),
    ],
    "Portuguese": [
        *("Nome", "sobrenome", "data_nascimento", "telefone", "Telemóvel", "endereço", "CEP"),
    ],
    "Polish": [
        *("Imię", "nazwisko", "Imię i nazwisko", "data_urodzenia", "telefon", "adres", "ulica"),
        *("kod_pocztowy", "Miejscowość"),
    ],
    "Russian": ["Имя", "ФИО", "Фамилия", "отчество", "Телефон", "Дата рождения", "Адрес", "почта"],
    "Chinese": ["姓名", "联系电话", "手机", "邮箱", "家庭地址"],
    "Swedish": [
        *("Förnamn", "efternamn", "namn", "födelsedatum", "telefon", "adress", "postnummer"),
        *("personnummer", "mobil", "e_post_adress"),
    ],
}
ALIKE_NAMES = [
    *("nominal", "nominal_pay", "sort", "sort_order", "resort", "export", "nomad", "nomination"),
    *("support", "transport", "portable_tools", "pay_cap", "hours_cap", "applied_via", "capacity"),
    *("handyman", "rural", "strategy", "gebiet", "connaissances", "renaissance_member", "economy"),
    *("nom_entreprise", "nombre_empresa", "nombre_d_heures", "firmenname", "nome_azienda"),
    *("first_seen", "first_click_day", "last_login", "given_shifts", "family_plan", "имя_компании"),
    *(
        "полгода",
        "город",
        "смена",
        "口味",
        "naam_bedrijf",
        "denominazione",
        "phenomenal",
        "autonomy",
        "mobility",
    ),
]
USABLE_NAMES = [
    "years_worked",
    "account_age_days",
    "has_car",
    "skills_count",
    "last_login",
    "level",
    "employer_name",
    "job_title",
    "category",
    "company_name",
    "plan",
    "rating",
    "shift_length",
    "language",
    "role_name",
    "wage",
    "page_views",
]


@pytest.mark.parametrize("name", PERSONAL_NAMES)
def test_a_users_column_that_tells_who_one_is_is_personal_by_its_name(name: str) -> None:
    assert by_name("users", name).kind == "personal"


@pytest.mark.parametrize("language", PERSONAL_NAMES_OF_OTHER_LANGUAGES)
def test_a_personal_column_is_known_in_other_languages_however_it_is_written(language: str) -> None:
    names = PERSONAL_NAMES_OF_OTHER_LANGUAGES[language]
    assert [name for name in names if by_name("users", snake(name)).kind != "personal"] == []


def test_a_word_that_only_has_the_letters_of_a_personal_one_is_usable() -> None:
    assert [name for name in ALIKE_NAMES if by_name("users", name).kind != "usable"] == []


@pytest.mark.parametrize("name", ["nom", "nombre", "nome", "naam", "ort", "plz", "adresse"])
def test_of_a_job_its_name_and_its_place_are_usable_in_other_languages(name: str) -> None:
    assert by_name("jobs", name).kind == "usable"


@pytest.mark.parametrize("name", PROTECTED_NAMES)
def test_a_protected_attribute_of_users_is_known_by_its_name(name: str) -> None:
    assert by_name("users", name).kind == "protected"
    assert by_name("jobs", name).kind == "usable"


@pytest.mark.parametrize("word", ["race", "age", "sex", "gender", "religion", "union"])
def test_a_protected_word_is_known_with_what_exports_put_beside_it(word: str) -> None:
    names = [snake(form.format(word)) for form in BESIDE_A_PROTECTED_WORD]
    names += [snake(f"{word.title()}Group"), snake(f"is{word.title()}"), snake(f"user.{word}")]
    assert [name for name in names if by_name("users", name).kind != "protected"] == []


@pytest.mark.parametrize("names", [GLUED_NAMES, NAMES_OF_OTHER_LANGUAGES])
def test_a_protected_attribute_is_known_without_separators_and_in_other_languages(
    names: list[str],
) -> None:
    assert [name for name in names if by_name("users", name).kind != "protected"] == []


def test_a_word_that_only_has_the_letters_of_a_protected_one_is_not_protected() -> None:
    assert [name for name in HARMLESS_NAMES if by_name("users", name).kind == "protected"] == []


@pytest.mark.parametrize("name", ["home_2", "phone_2", "name_2", "dob2", "ssn_last4"])
def test_a_number_beside_a_personal_word_says_nothing(name: str) -> None:
    assert by_name("users", name).kind == "personal"


@pytest.mark.parametrize("name", USABLE_NAMES)
def test_a_column_about_work_is_usable(name: str) -> None:
    assert by_name("users", name).kind == "usable"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(
            (name, "usable")
            for name in (
                *("title", "employer", "address", "latitude", "name", "reference"),
                *("resume_required", "about", "cv_needed", "report_day"),
            )
        ),
        *(
            (name, "personal")
            for name in (
                *("contact_person", "recruiter", "phone", "hr_email", "surname"),
                *("poc", "ask_for", "reports_to", "notes", "фио"),
            )
        ),
    ],
)
def test_of_a_job_its_people_are_personal_and_its_title_and_place_are_not(
    name: str, kind: Kind
) -> None:
    assert by_name("jobs", name).kind == kind


VALUES: dict[str, list[str]] = {
    "phone numbers": ["(512) 555-0142", "+1 212 555 0101", "213-555-0102"],
    "phone numbers of digits": [f"512555{n:04}" for n in range(100, 110)],
    "mail addresses": ["a@b.org", "c.d@e.com", ""],
    "birth dates": [f"{year}-03-0{year % 9 + 1}" for year in range(1960, 1999, 4)],
    "birth dates in words of the US": [f"03/1{year % 9}/{year}" for year in range(1960, 1999, 4)],
    "birth years": [str(year) for year in range(1960, 1999, 4)],
    "birth moments": [f"{year}-03-01 00:00:00+00" for year in range(1960, 1999, 4)],
    "street addresses": ["12 Oak Street", "4 Hill Rd, Austin", "190b Main Ave apt 4"],
    "coordinates": [f"30.{n}6715" for n in range(10, 20)],
    "pairs": ["30.26715, -97.74306"] * 3,
    "names": ["Maria Lopez", "Ann O\u2019Hara", "Bo Li", "Jos\u00e9 P\u00e9rez", "Kim Lee Park"],
    "names from the last": ["Lopez, Maria", "Li, Bo", "Lee, Kim", "Ray, Al", "Poe, Ed"],
    "free text": [f"I like to work in the {n}th store of my town" for n in range(9)],
    "numbers of people": ["078-05-1120", "219-09-9999"],
    "internet addresses": ["192.168.0.1", "10.0.0.2"],
    "pages": ["https://example.org/in/maria", "www.example.org/bo"],
}
FIRST = [
    "Maria",
    "Bo",
    "Kim",
    "Al",
    "Ed",
    "Jos\u00e9",
    "Ann",
    "Ira",
    "Lou",
    "Max",
    "Eva",
    "Tom",
    "Zoe",
]
LAST = [
    "Lopez",
    "Li",
    "Lee",
    "Ray",
    "Poe",
    "P\u00e9rez",
    "O\u2019Hara",
    "Katz",
    "Diaz",
    "Roe",
    "Fox",
]
HIDDEN: dict[str, list[str]] = {
    "phone numbers within texts": ["call +1 212 555 0110", "day", "ask (212) 555-0111 at 9", "n"],
    "mail addresses within texts": ["Mail: ann1@planted.example", "by phone", "<bo@li.org>"],
    "some mail addresses": [*(f"a{n}@b.org" for n in range(14)), *["no"] * 86],
    "few phone numbers": [*(f"+1 212 555 01{n}" for n in range(10, 14)), *["day"] * 90],
    "lists with a mail address": ["day|a@b.org", "night", "day|night|c@d.org"],
    "names in lists": [f"{FIRST[n % 13]} {LAST[n % 11]}|{FIRST[n % 7]} Roe" for n in range(400)],
    "names that repeat": [f"{FIRST[n % 13]} {LAST[n % 11]}" for n in range(400)],
}
WORK: dict[str, list[str]] = {
    "metros": [f"{one} City" for one in LAST * 2] * 12,
    "employers that repeat": [f"{one} Foods" for one in FIRST + LAST] * 12,
    "one cell with an address": ["a@b.org", *["day"] * 99],
    "ranges of days": ["2025-01-11 - 2025-02-12", "2025-03-11 to 2025-04-12", "2024-2025"] * 9,
    "times": ["2025-01-11 10:15:30", "2025-01-11 10:15:30.123456+00", "11.12.2025 10:15"] * 9,
    "ranges of pay": ["15000-20000", "16.50 - 18.25", "$1,200,000 - 1,300,000"] * 9,
    "codes": ["SKU-2125550110", "A 212-555-01", "11-1011.00", "1.2.840.113549"] * 9,
    "employers": ["Whole Foods", "Acme Corp", "Whole Foods", "Acme Corp", "Whole Foods", "Big Co"],
    "scores": [f"0.{n}4837" for n in range(10, 30)],
    "ids of ten digits": [f"1000000{n:03}" for n in range(100)],
    "days of joining": [f"2025-0{n}-11" for n in range(1, 9)],
    "shifts": ["day", "night", "day"],
    "years of experience": [str(n) for n in range(20)],
    "versions": ["1.2", "3.4", "5.6"],
}


@pytest.mark.parametrize("what", VALUES)
def test_cells_of_people_are_personal_whatever_the_column_is_called(what: str) -> None:
    found = classified("users", "attr_7", [text for text in VALUES[what] if text], UNTIL, "US")
    assert found.kind == "personal", found
    assert not any(text and text in str(found.why) for text in VALUES[what])


@pytest.mark.parametrize("what", HIDDEN)
def test_cells_that_tell_a_person_here_and_there_are_personal(what: str) -> None:
    assert classified("users", "attr_7", HIDDEN[what], UNTIL, "US").kind == "personal"
    expected = "usable" if what.startswith("names") else "personal"
    assert classified("jobs", "attr_7", HIDDEN[what], UNTIL, "US").kind == expected


@pytest.mark.parametrize("what", WORK)
def test_cells_about_work_are_usable(what: str) -> None:
    assert classified("users", "attr_7", WORK[what], UNTIL, "US").kind == "usable"


def test_cells_that_say_genders_are_protected() -> None:
    titles = [["Mr.", "Mrs.", "Ms."], ["Herr", "Frau"], ["hombre", "mujer"]]
    for values in (["male", "female", "other"], ["M", "F", "M"], *titles):
        assert classified("users", "attr_7", values, UNTIL, "US").kind == "protected"


@pytest.mark.parametrize(
    ("table", "values", "kind"),
    [
        ("jobs", ["Maria Lopez", "Bo Li", "Kim Lee", "Al Ray", "Ed Poe"], "usable"),
        ("jobs", ["(512) 555-0142", "213-555-0102"], "personal"),
        ("jobs", ["jobs@example.org"], "personal"),
        ("users", [], "usable"),
    ],
)
def test_cells_of_jobs_are_personal_where_they_reach_a_person(
    table: Table, values: list[str], kind: Kind
) -> None:
    assert classified(table, "attr_7", values, UNTIL, "US").kind == kind
