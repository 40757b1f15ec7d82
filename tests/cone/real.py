"""cone.tokens itself, for a test of moving in from it (tests/it/cone/real.rs).

    real.py make SOURCE               makes a database by its own code, with a history of a year
    real.py compare SOURCE TARGET     holds each row of Tessera's database against it
    real.py verdicts SOURCE           consumes each token once more, and prints what comes of it as JSON

SOURCE is an address of SQLAlchemy, TARGET one of Tessera. The clock is that of TZ.
"""

import collections
import datetime
import json
import os
import random
import sqlite3
import sys
import uuid
import zoneinfo

import cone.sql
import cone.tokens.api
from cone.tokens.api import TokenAPI
from cone.tokens.exceptions import TokenException
from cone.tokens.model import TokenRecord, TokenUsageRecord
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

ZONE = zoneinfo.ZoneInfo(os.environ["TZ"])
USERS = ["anna", "Jürgen", None]


class Clock(datetime.datetime):
    """A clock that shows what it is set to."""

    shown = None

    @classmethod
    def now(cls, tz=None):
        return cls.shown or datetime.datetime.now(tz)


class API(TokenAPI):
    """Used by somebody, without a request of a browser."""

    user = None
    _authenticated_userid = property(lambda self: self.user)


def connect(source):
    engine = create_engine(source)
    cone.sql.session_factory = sessionmaker(bind=engine)
    return engine


def make(source):
    cone.sql.metadata.create_all(connect(source))
    cone.tokens.api.datetime = Clock
    chance = random.Random(16)
    now = datetime.datetime.now().replace(microsecond=0)
    begin = now - datetime.timedelta(days=365)
    tokens = []
    with API() as api:
        # Sorted, as a clock goes on: but that it is put back an hour once.
        moments = sorted(begin + datetime.timedelta(microseconds=chance.randrange(365 * 86_400 * 10**6)) for _ in range(900))
        last_sunday = max(datetime.datetime(year, 10, day) for year in (now.year - 1, now.year) for day in range(25, 32)
                          if datetime.datetime(year, 10, day).weekday() == 6 and datetime.datetime(year, 10, day) < now)
        moments += [last_sunday + datetime.timedelta(hours=1, minutes=minutes) for minutes in range(40, 140, 10)]
        moments = sorted(map(existing, moments))
        for number, moment in enumerate(moments):
            Clock.shown = Clock(*moment.timetuple()[:6], moment.microsecond)
            api.user = chance.choice(USERS)
            if number % 5 == 0:
                tokens.append(add(api, chance, moment, number, tokens))
            for uid in chance.sample(tokens, min(3, len(tokens))):
                try:
                    api.consume(uid)
                except TokenException:
                    pass
            if number % 40 == 39:
                uid = tokens[chance.randrange(len(tokens))]
                api.update(uid, value=f"renamed {number}", usage_count=chance.randrange(-1, 9))
            if number % 90 == 89:
                api.delete(tokens.pop(chance.randrange(len(tokens))))
    Clock.shown = None


def existing(moment):
    """The moment, or an hour later, if clocks were put forward over it."""
    if moment is None:
        return None
    utc = moment.replace(tzinfo=ZONE).astimezone(datetime.timezone.utc)
    is_shown = utc.astimezone(ZONE).replace(tzinfo=None) == moment
    return moment if is_shown else moment + datetime.timedelta(hours=1)


def add(api, chance, moment, number, tokens):
    uid = uuid.UUID(int=chance.getrandbits(128), version=4)
    day = datetime.timedelta(days=1)
    value = chance.choice([None, "", f"T-{number}", f"Straße {number} “{chance.randrange(9)}”", None])
    if number == 400:
        # The uid of a token that has another value, and of none.
        api.update(tokens[0], value="has another one")
        value = str(tokens[0])
    if number == 405:
        value = str(uuid.UUID(int=7, version=4)).upper()
    bounds = chance.choice([(None, None), (moment - day, None), (None, moment + 400 * day), (moment + day, moment + 900 * day),
                            (moment, moment + 30 * day)])
    lock = chance.choice([0, 0, 5, 86_400, 400 * 86_400])
    api.add(uid, value=value, valid_from=existing(bounds[0]), valid_to=existing(bounds[1]), usage_count=chance.choice([-1, 0, 1, 2, 5, 40]),
            lock_time=lock)
    return uid


def micros(moment):
    """Microseconds since 1970 of what a clock has shown, the first time that it did."""
    if moment is None:
        return None
    since = moment.replace(tzinfo=ZONE, fold=0) - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds


def rows(target, query):
    if target.startswith("sqlite:"):
        connection = sqlite3.connect(target.removeprefix("sqlite:"))
    else:
        import psycopg2

        connection = psycopg2.connect(target)
    cursor = connection.cursor()
    cursor.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def principal(user):
    return f"cone:{user}" if user else "nobody"


def looks_like_uid(text):
    try:
        return len(text) == 36 and str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def compare(source, target):
    session = sessionmaker(bind=connect(source))()
    cone_tokens = session.query(TokenRecord).all()
    cone_usage = session.query(TokenUsageRecord).all()
    used = collections.Counter(entry.token_uid for entry in cone_usage if entry.error_code is None)
    tokens = rows(target, "SELECT * FROM tokens ORDER BY id")
    usage = rows(target, "SELECT * FROM usage ORDER BY id")
    assert len(tokens) == len(cone_tokens) > 100 and len(usage) == len(cone_usage) > 1000

    ids = {}
    for token, was in zip(tokens, sorted(cone_tokens, key=lambda was: (was.created, was.uid.hex))):
        ids[was.uid] = token["id"]
        value = was.value.lower() if looks_like_uid(was.value) else was.value
        right = {
            "uid": str(was.uid), "value": None if value == str(was.uid) else value, "label": None, "batch": None,
            "valid_from": micros(was.valid_from), "valid_to": micros(was.valid_to), "usage_count": was.usage_count,
            "lock_time": was.lock_time, "last_used": micros(was.last_used), "lock_start": micros(was.last_used),
            "creator": principal(was.creator), "created": micros(was.created), "modified": micros(was.modified),
            "deleted_at": None, "voided_at": None, "used": used[was.uid],
        }
        assert {name: token[name] for name in right} == right, (token, right)

    newest, unlimited = {}, {was.uid for was in cone_tokens if was.usage_count == -1}
    for entry, was in zip(usage, sorted(cone_usage, key=lambda was: (was.timestamp, was.uid.hex))):
        is_use = was.error_code is None
        right = {
            "uid": str(was.uid), "token": ids.get(was.token_uid), "token_uid": str(was.token_uid),
            "token_value": was.token_value, "timestamp": micros(was.timestamp), "principal": principal(was.user),
            "error_code": was.error_code, "gate": None, "uses": 1, "undoes": None,
            "taken": int(is_use and was.token_uid not in unlimited),
            "previous": newest.get(was.token_uid) if was.token_uid in ids else None,
        }
        assert {name: entry[name] for name in right} == right, (entry, right)
        newest[was.token_uid] = entry["id"]
    for token, was in zip(tokens, sorted(cone_tokens, key=lambda was: (was.created, was.uid.hex))):
        assert token["last_entry"] == newest.get(was.uid), token


def verdicts(source):
    connect(source)
    told = []
    with API() as api:
        for uid, value in api.session.query(TokenRecord.uid, TokenRecord.value).all():
            try:
                api.consume(uid)
                code = None
            except TokenException as error:
                code = error.error_code
            told.append({"uid": str(uid), "value": value, "code": code})
    print(json.dumps(told))


if __name__ == "__main__":
    {"make": make, "compare": compare, "verdicts": verdicts}[sys.argv[1]](*sys.argv[2:])
