"""The schema of the records store: fresh, brought up, cut short, and newer than the program."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from boxscore.errors import StoreError
from boxscore.store import migrations
from boxscore.store.migrations import REVISIONS
from boxscore.store.records import database, postgres
from databases import Place


def engine(place):
    if place.url is None:
        return sa.create_engine(f"sqlite:///{place.home / database.FILE}")
    return sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(place.url))


def ask(place, *statements):
    """The rows of the last statement; all are committed."""
    made = engine(place)
    with made.begin() as connection:
        found = [connection.execute(sa.text(statement)) for statement in statements][-1]
        rows = found.all() if found.returns_rows else []
    made.dispose()
    return rows


def shape(place):
    """Every table with its columns, types, orders of text, keys, rules and indexes, as the database tells of them."""
    made = engine(place)
    with made.connect() as connection:
        look = sa.inspect(connection)
        found = {
            table: (
                [
                    (c["name"], str(c["type"]), getattr(c["type"], "collation", None), c["nullable"], c["default"])
                    for c in look.get_columns(table)
                ],
                look.get_pk_constraint(table),
                sorted((i["name"], i["column_names"], i["unique"]) for i in look.get_indexes(table)),
                sorted(
                    (f["name"], f["constrained_columns"], f["referred_table"], f["referred_columns"], str(f["options"]))
                    for f in look.get_foreign_keys(table)
                ),
                sorted((u["name"], u["column_names"]) for u in look.get_unique_constraints(table)),
                sorted((c["name"], c["sqltext"]) for c in look.get_check_constraints(table)),
            )
            for table in look.get_table_names()
        }
    made.dispose()
    return found


def bring(place, to):
    """To an older revision than the newest, as an older program left it."""
    if place.url is None:
        database.migrate(place.home / database.FILE, to=to)
    else:
        postgres.migrate(place.url, to=to)


@pytest.fixture(params=["sqlite", "postgres"])
def make(request, tmp_path):
    """Makes empty places, all on the same kind of database."""
    made = []

    def empty():
        home = tmp_path / str(len(made))
        home.mkdir()
        if request.param == "sqlite":
            made.append(None)
            return Place(home)
        made.append(request.getfixturevalue("postgres").fresh())
        return Place(home, made[-1].__enter__())

    yield empty
    for one in made:
        if one is not None:
            one.__exit__(None, None, None)


@pytest.fixture
def empty(make):
    return make()


def test_a_new_store_has_the_schema_that_migrations_bring_an_old_one_to(make):
    fresh, migrated = make(), make()
    fresh.open().close()
    bring(migrated, REVISIONS[-1])

    assert shape(fresh) == shape(migrated)


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_store_of_any_older_revision_opens_with_its_rows(make, revision):
    fresh, old = make(), make()
    fresh.open().close()
    bring(old, revision)
    ask(old, "INSERT INTO projects (id, name) VALUES ('kept', 'kept')")

    old.open().close()

    assert shape(old) == shape(fresh)
    assert ask(old, "SELECT name FROM projects WHERE id = 'kept'") == [("kept",)]


def test_an_older_file_is_copied_before_it_is_changed(tmp_path):
    place = Place(tmp_path)
    bring(place, "0002")
    place.open().close()

    assert database.revision(tmp_path / f"{database.FILE}.0002.backup") == "0002"


def test_on_postgres_every_text_sorts_by_code_point(postgres, tmp_path):
    with postgres.fresh("made") as url:
        texts = [
            (table, column, order)
            for table, (columns, *_) in shape(Place(tmp_path, url)).items()
            for column, kind, order, *_ in columns
            if kind == 'TEXT COLLATE "C"' or "CHAR" in kind or kind == "TEXT"
        ]

    assert len(texts) > 50
    assert {order for _, _, order in texts} == {"C"}


KILLED = """
import os, pathlib, signal, sys
sys.path.insert(0, "tests")
from boxscore.store.records import schema
from databases import Place

every_step = schema.steps

def cut_short(*given, **more):
    for number, (revision, statements) in enumerate(every_step(*given, **more), 1):
        yield revision, until_killed(number, statements)

def until_killed(number, statements):
    for statement in statements:
        numbered = statement.startswith("UPDATE alembic_version")
        if number > step or (when == "inside" and numbered and number == step):
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement

schema.steps = cut_short
when, *urls = sys.argv[1:]
for step, url in enumerate(urls, 1):
    home = pathlib.Path(url)
    place = Place(home) if home.is_absolute() else Place(pathlib.Path(), url)
    child = os.fork()
    if child == 0:
        place.open().close()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("when", ["inside", "behind"])
def test_a_kill_in_any_step_leaves_a_store_that_the_next_start_brings_to_the_end(make, when):
    """Inside: all that the step does is done but its number, and nothing committed. Behind: the next one has begun."""
    fresh = make()
    fresh.open().close()
    steps = len(REVISIONS) - 1 if when == "inside" else len(REVISIONS) - 2
    places = [make() for _ in range(steps)]
    for place in places:
        bring(place, REVISIONS[0])
        ask(place, "INSERT INTO projects (id, name) VALUES ('kept', 'kept')")

    said = subprocess.run(
        [sys.executable, "-c", KILLED, when, *(place.url or str(place.home) for place in places)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout

    assert said.split() == ["-9"] * steps
    left = [ask(place, "SELECT version_num FROM alembic_version")[0][0] for place in places]
    assert left == list(REVISIONS[:-1] if when == "inside" else REVISIONS[1:-1])
    for place in places:
        place.open().close()
        assert shape(place) == shape(fresh)
        assert ask(place, "SELECT name FROM projects WHERE id = 'kept'") == [("kept",)]


@pytest.mark.parametrize("before", [None, "0003"])
def test_programs_that_start_at_once_make_the_schema_once(empty, before):
    if before is not None:
        bring(empty, before)
    program = """
from boxscore import settings
from boxscore.store.records import Records
found = settings.load()
Records.open(settings.home(found), found.records_url).close()
"""
    started = [
        subprocess.Popen([sys.executable, "-c", program], env=os.environ | empty.environment, stderr=subprocess.PIPE)
        for _ in range(3)
    ]

    assert [(one.communicate()[1].decode(), one.returncode) for one in started] == [("", 0)] * 3
    assert ask(empty, "SELECT version_num FROM alembic_version") == [(REVISIONS[-1],)]
    assert ask(empty, "SELECT count(*) FROM projects") == [(1,)]


def test_a_store_of_a_newer_boxscore_is_refused_and_left_alone(empty):
    empty.open().close()
    ask(empty, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError) as caught:
        empty.open()

    assert "newer Boxscore" in str(caught.value)
    assert ask(empty, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_database_that_has_other_tables_of_the_same_names_is_refused_and_left_alone(empty):
    ask(empty, "CREATE TABLE runs (id INTEGER)", "INSERT INTO runs VALUES (1)")

    with pytest.raises(StoreError, match="runs"):
        empty.open()

    assert ask(empty, "SELECT id FROM runs") == [(1,)]
    made = engine(empty)
    assert sa.inspect(made).get_table_names() == ["runs"]
    made.dispose()


def test_a_step_that_fails_is_named_and_leaves_the_steps_before_it(empty):
    bring(empty, "0001")
    ask(empty, "CREATE TABLE verdicts (id INTEGER)")

    with pytest.raises(StoreError, match="It has schema 0001 now"):
        empty.open()

    ask(empty, "DROP TABLE verdicts")
    empty.open().close()


def test_the_known_revisions_are_those_that_ship():
    files = sorted(Path(migrations.__file__).parent.glob("*.sql"))

    assert tuple(path.name.partition("_")[0] for path in files) == REVISIONS
