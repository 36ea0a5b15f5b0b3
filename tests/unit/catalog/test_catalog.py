"""The catalogue: its files, what it finds in them, and that a broken file stops no run."""

import logging
from datetime import date
from shutil import copytree

import pytest

from batch_avatar.catalog import avatars, limits, regions
from batch_avatar.catalog.avatars import (
    Withdrawal,
    characters,
    characters_that_stay,
    find_character,
    find_photo,
    find_style,
    photo_avatars,
    styles_that_stay,
    withdrawal,
)
from batch_avatar.catalog.files import FOLDER, load, parse
from batch_avatar.catalog.limits import limit
from batch_avatar.catalog.near import near
from batch_avatar.catalog.regions import batch_avatar_regions, find_region

FILES = {**avatars.FILES, **regions.FILES, **limits.FILES}
DECEMBER = date(2026, 12, 1)


def video(text):
    """The characters that a file with this text holds."""
    return parse(text, FILES["characters.toml"]).characters


def characters_file():
    return (FOLDER / "characters.toml").read_text(encoding="utf-8")


# The files


def test_every_file_is_read_by_somebody():
    assert {path.name for path in FOLDER.iterdir()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_as_its_readers_want_it(name):
    content = parse((FOLDER / name).read_text(encoding="utf-8"), FILES[name])
    [entries] = [getattr(content, member) for member in FILES[name].model_fields]

    assert entries
    assert len({str(entry) for entry in entries}) == len(entries)


def names_of(entries):
    return [entry.name for entry in entries]


def test_no_name_stands_twice():
    photos = [name for one in photo_avatars() for name in one.names]
    for names in (
        names_of(characters()),
        photos,
        names_of(regions.regions()),
        names_of(limits.limits()),
        *(names_of(character.styles) for character in characters()),
        *(style.gestures for character in characters() for style in character.styles),
    ):
        assert sorted(names) == sorted(set(names))
    assert not {*photos} & {*names_of(characters())}


def test_what_ends_names_something_instead_that_stays():
    ending = [one for character in characters() for one in (character, *character.styles) if one.withdrawn]
    assert len(ending) == 5
    for entry in ending:
        words = set(entry.instead.replace(",", " ").split())
        assert words & {*characters_that_stay(DECEMBER), "casual-sitting"}
        assert not words & {
            "jeff",
            *(name for name in find_character("lisa").style_names() if name != "casual-sitting"),
        }


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('name = "harry"', 'name = "Harry"'),
        ('withdrawn = "2026-12"', 'withdrawn = "2026-13"'),
        ('withdrawn = "2026-12"', 'withdrawn = "December"'),
        ("seen = 2026-09-22", ""),
        ('source = "text-to-speech-avatar/standard-avatars.md"', 'source = ""'),
        ("[[characters]]", "[[character]]"),
        ('instead = "', 'insted = "'),
        ("seen = 2026-09-22", "seen = yesterday"),
    ],
)
def test_a_mistake_in_a_file_is_found(was, now):
    assert was in characters_file()
    with pytest.raises(ValueError, match=r"."):
        video(characters_file().replace(was, now, 1))


@pytest.mark.parametrize(
    "content", [None, b"", b"[[characters]]\n", b"\xff\xfe", b"characters = 1", b"a = " + b"[" * 5000]
)
@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_one_warning_and_nothing_is_known(tmp_path, caplog, name, content):
    folder = copytree(FOLDER, tmp_path / "data")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)

    with caplog.at_level(logging.WARNING):
        found = load(name, FILES[name], folder)

    assert found == FILES[name]()
    if content == b"":
        assert caplog.messages == []
    else:
        [warning] = caplog.messages
        assert warning.startswith(f"{name} of the catalogue cannot be read, so nothing is checked against it: ")


# Avatars


@pytest.mark.parametrize("name", ["rowan", "celine", "nia", "malik", "harry", " Harry "])
def test_some_are_rendered_without_a_style(name):
    assert find_style(find_character(name), None) == find_style(find_character(name), "")
    assert find_style(find_character(name), None).withdrawn is None


@pytest.mark.parametrize("name", ["lisa", "lori", "max", "meg"])
def test_others_need_one(name):
    assert find_style(find_character(name), None) is None


def test_names_are_found_in_any_case():
    assert find_style(find_character("LISA"), "Casual-Sitting").gestures[0] == "numeric1-left-1"
    assert find_photo("Leonie PROFESSIONAL").base_model == "vasa-2"
    assert find_region("WestEurope").voice_sync


def test_what_is_not_there_is_unknown():
    assert find_character("lisette") is None
    assert find_style(find_character("lisa"), "sitting") is None
    assert find_photo("lisa") is None
    assert find_region("moon") is None
    assert limit("age") is None
    assert withdrawal("lisette", "casual", DECEMBER) is None
    assert withdrawal("lisa", "sitting", DECEMBER) is None


def test_photo_avatars_of_the_second_model_are_not_in_batch():
    assert {one.base_model: one.in_batch for one in photo_avatars()} == {"vasa-1": True, "vasa-2": False}
    assert {name for one in photo_avatars() for name in one.regions} <= {one.name for one in regions.regions()}


def test_regions_and_limits():
    assert len(batch_avatar_regions()) == 11
    assert "francecentral" in batch_avatar_regions()
    assert [one.name for one in regions.regions() if not one.hd_voices] == [
        one.name for one in regions.regions() if one.mai_voices is False
    ]
    assert (limit("video-minutes"), limit("unfinished-jobs"), limit("time-to-live-hours")) == (20, 200, 744)


# Withdrawals


@pytest.mark.parametrize("style", ["business", "formal", None, "unheard-of"])
def test_a_character_is_withdrawn_in_every_style(style):
    found = withdrawal("Jeff", style, DECEMBER)

    assert found == Withdrawal("2026-12", over=False, soon=True, instead="another avatar, such as harry, max or malik")


@pytest.mark.parametrize(
    ("today", "soon", "over"),
    [
        (date(2026, 10, 1), False, False),  # 61 days before
        (date(2026, 10, 2), True, False),
        (date(2026, 12, 1), True, False),
        (date(2026, 12, 31), True, False),
        (date(2027, 1, 1), True, True),
    ],
)
def test_a_withdrawal_is_soon_for_60_days_and_over_after_its_month(today, soon, over):
    found = withdrawal("lisa", "Graceful-Sitting", today)

    assert (found.month, found.soon, found.over) == ("2026-12", soon, over)


def test_the_month_of_an_entry_is_all_that_decides():
    later = video(characters_file().replace('withdrawn = "2026-12"', 'withdrawn = "2028-03"'))

    assert withdrawal("jeff", "formal", DECEMBER, later).month == "2028-03"
    assert not withdrawal("jeff", "formal", DECEMBER, later).soon
    assert withdrawal("harry", "casual", DECEMBER, later) is None


def test_only_what_stays_is_suggested():
    lisa = find_character("lisa")

    assert styles_that_stay(lisa, DECEMBER) == ("casual-sitting",)
    assert len(styles_that_stay(lisa, date(2026, 9, 1))) == 5
    assert "jeff" not in characters_that_stay(DECEMBER)
    assert {"lisa", "rowan", "harry"} <= {*characters_that_stay(DECEMBER)}


# What was meant


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("jef", "jeff"),
        ("LISSA", "lisa"),
        ("harri", "harry"),
        ("celine ", "celine"),
        ("quentin", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_the_name_that_was_probably_meant(given, meant):
    assert near(given, names_of(characters())) == meant


def test_a_near_style_is_one_of_those_that_may_be_suggested():
    assert near("gracefull-sitting", styles_that_stay(find_character("lisa"), DECEMBER)) == "casual-sitting"
    assert near("anything", []) is None
