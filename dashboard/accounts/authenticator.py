"""An authenticator app (TOTP, RFC 6238) together with a passphrase: the way in where passkeys cannot be used.

In: a name, a passphrase, a code of six digits, or a recovery code once. Out: whose they are. A code is taken once: its
30-second step is written down, and none up to it counts again. Secrets are sealed, phrases hashed (scrypt), recovery
codes hashed. Wrong tries count towards closing the name, as those with one-time codes do (`dashboard.auth`).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import pyotp
import segno
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from werkzeug.security import check_password_hash, generate_password_hash

from dashboard.accounts import sessions
from dashboard.accounts.sealing import Sealer
from dashboard.auth import count_failure, decoy
from dashboard.store.engine import reading
from dashboard.store.queries import write_audit
from dashboard.store.schema import account, authenticator, recovery_code

STEP = 30
AROUND = 1
"""Steps before and after now that a clock may be off."""
DIGITS = 6
LEAST_PHRASE = 15
MOST_PHRASE = 200
RECOVERY_CODES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a check came to, before it is written down."""

    account_id: str
    locked: bool
    step: int | None
    recovery: str | None
    phrase_right: bool


def new_secret() -> str:
    """160 random bits as RFC 4226 recommends, in base 32."""
    return pyotp.random_base32(32)


def qr(secret: str, *, name: str, service: str) -> str:
    """SVG of the QR code that an app reads; no style in it, so that the pages' policy holds."""
    address = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=service)
    made = segno.make(address, error="m")
    return str(made.svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass="gh-qr", lineclass=None))


def grouped(secret: str) -> str:
    """A secret in groups of four, to be typed."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def phrase_error(phrase: str) -> str:
    """What is wrong with a passphrase; empty if nothing."""
    if len(phrase) < LEAST_PHRASE:
        return (
            f"Use a passphrase of at least {LEAST_PHRASE} characters: three or four words that do not belong together"
        )
    if len(phrase) > MOST_PHRASE:
        return f"Use a passphrase of at most {MOST_PHRASE} characters"
    if len(set(phrase.lower())) < 5:
        return "Use a passphrase with more different characters"
    return ""


def set_up(
    connection: Connection, sealer: Sealer, *, account_id: str, secret: str, phrase_hash: str, code: str, now: float
) -> tuple[str, ...] | None:
    """Store an authenticator whose first code is right, in place of any before; its recovery codes, or None."""
    step = _step_of(secret, code, now, after=-1)
    if step is None:
        return None
    remove(connection, account_id=account_id)
    connection.execute(
        insert(authenticator).values(
            account_id=account_id,
            secret=sealer.seal(secret, account_id),
            phrase_hash=phrase_hash,
            made_at=now,
            last_step=step,
        )
    )
    codes = tuple(secrets.token_hex(10) for _ in range(RECOVERY_CODES))
    for one in codes:
        connection.execute(insert(recovery_code).values(account_id=account_id, code_hash=_hash(one)))
    return tuple("-".join(one[start : start + 5] for start in range(0, 20, 5)) for one in codes)


def hash_phrase(phrase: str) -> str:
    """Slow by design: call it outside any transaction."""
    return generate_password_hash(phrase)


def since(connection: Connection, account_id: str) -> tuple[float | None, int]:
    """Since when an account has an authenticator, and how many recovery codes are left."""
    made = select(authenticator.c.made_at).where(authenticator.c.account_id == account_id)
    left = select(func.count()).select_from(recovery_code).where(recovery_code.c.account_id == account_id)
    return connection.execute(made).scalar_one_or_none(), connection.execute(left).scalar_one()


def remove(connection: Connection, *, account_id: str) -> bool:
    """Take an authenticator and its recovery codes away; False where there is none."""
    connection.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))
    return connection.execute(delete(authenticator).where(authenticator.c.account_id == account_id)).rowcount > 0


def sign_in(
    engine: Engine,
    sealer: Sealer,
    *,
    name: str,
    phrase: str,
    code: str,
    now: float,
    client: str = "",
    origin: str = "",
) -> str | None:
    """Trade name, passphrase and code for a session token; None if that fails, for whatever reason."""
    found = _look(engine, sealer, which=account.c.name == name[:200].strip(), phrase=phrase, code=code, now=now)
    if found is None:
        return None
    with engine.begin() as connection:
        if not _holds(connection, found, now):
            return None
        way = "authenticator" if found.recovery is None else "recovery"
        token = sessions.open_session(connection, found.account_id, now, way=way, client=client, origin=origin)
        write_audit(connection, at=now, account_id=found.account_id, action="sign-in", subject=way, outcome="done")
    return token


def check(engine: Engine, sealer: Sealer, *, account_id: str, phrase: str, code: str, now: float) -> bool:
    """Whether passphrase and code are those of an account that is signed in."""
    found = _look(engine, sealer, which=account.c.account_id == account_id, phrase=phrase, code=code, now=now)
    if found is None:
        return False
    with engine.begin() as connection:
        return _holds(connection, found, now)


def _look(engine: Engine, sealer: Sealer, *, which: object, phrase: str, code: str, now: float) -> Found | None:
    query = (
        select(account.c.account_id, account.c.locked_until, authenticator)
        .outerjoin(authenticator, authenticator.c.account_id == account.c.account_id)
        .where(which, account.c.role != "closed")  # type: ignore[arg-type]
    )
    with reading(engine).connect() as connection:
        row = connection.execute(query).one_or_none()
    phrase_hash = None if row is None else row.phrase_hash
    # Checked outside any transaction, and for names that nobody has too: all failures take as long.
    right = check_password_hash(phrase_hash or decoy(), phrase[:MOST_PHRASE]) and phrase_hash is not None
    if row is None:
        return None
    typed = "".join(code[:60].split()).replace("-", "").lower()
    step, recovery = None, None
    if row.secret is not None:
        secret = sealer.open(row.secret, row[0])
        if secret is not None and len(typed) == DIGITS:
            step = _step_of(secret, typed, now, after=row.last_step)
        elif len(typed) == 20:
            recovery = _hash(typed)
    locked = row.locked_until is not None and row.locked_until > now
    return Found(account_id=row[0], locked=locked, step=step, recovery=recovery, phrase_right=right)


def _holds(connection: Connection, found: Found, now: float) -> bool:
    """Take the code, and say whether all of it was right; else the try is counted."""
    if found.locked:
        return False
    if found.phrase_right and _take(connection, found):
        connection.execute(
            update(account).where(account.c.account_id == found.account_id).values(failures=0, locked_until=None)
        )
        return True
    count_failure(connection, found.account_id, now)
    return False


def _take(connection: Connection, found: Found) -> bool:
    if found.step is not None:
        mine = (authenticator.c.account_id == found.account_id) & (authenticator.c.last_step < found.step)
        return connection.execute(update(authenticator).where(mine).values(last_step=found.step)).rowcount == 1
    if found.recovery is not None:
        mine = (recovery_code.c.account_id == found.account_id) & (recovery_code.c.code_hash == found.recovery)
        return connection.execute(delete(recovery_code).where(mine)).rowcount == 1
    return False


def _step_of(secret: str, code: str, now: float, *, after: int) -> int | None:
    """The step whose code it is, if that is around now and after the last one taken."""
    made = pyotp.TOTP(secret)
    at = int(now // STEP)
    right = None
    for step in range(at - AROUND, at + AROUND + 1):
        # All are compared, and each in constant time.
        if secrets.compare_digest(made.at(step * STEP).encode(), code.encode()) and step > after:
            right = step
    return right


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
