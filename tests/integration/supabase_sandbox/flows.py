"""How each recorded answer comes about, by its name in the recordings."""

from __future__ import annotations

from tests.integration.supabase_sandbox.project import PASSWORD, SECRET_KEY
from tests.integration.supabase_sandbox.steps import (
    ANNA,
    JSON,
    NAMED,
    NOBODY,
    VERIFIER,
    ZERO_HASH,
    Flow,
    after_joining,
    after_sign_up,
    authorize,
    banned,
    branch,
    challenged,
    change_password,
    email_change_done,
    email_change_half,
    enrol,
    exchange,
    expired,
    factor_id,
    faulty,
    followed,
    get_user,
    gone,
    grandparent,
    joined,
    login,
    made,
    open_link,
    own,
    put,
    reauthenticated,
    recovering,
    returned,
    setting,
    show_code,
    sign_up,
    signed_out,
    twice,
    user_of,
    verify,
    with_factor,
)

FLOWS: dict[str, Flow] = {
    "meta-health": lambda project: project.ask("GET", "/health"),
    "meta-settings": lambda project: project.ask("GET", "/settings"),
    "meta-jwks-es256": lambda project: project.ask("GET", "/.well-known/jwks.json", key=""),
    "meta-notfound": lambda project: project.ask("GET", "/nosuchpath"),
    "meta-methodnotallowed": lambda project: project.ask("GET", "/signup"),
    "settings-head": lambda project: project.ask("HEAD", "/settings"),
    # -- sign-up
    "signup-new-confirm-on": lambda project: project.sign_up("Anna@Example.com", **NAMED),
    "signup-existing-unconfirmed": twice(lambda project: project.sign_up(ANNA, **NAMED)),
    "signup-existing-confirmed": after_joining(
        lambda project: project.sign_up(ANNA, data={"name": "Mallory"})
    ),
    "signup-invalid-missing-password": sign_up(email=ANNA),
    "signup-invalid-missing-email": sign_up(password=PASSWORD),
    "signup-invalid-bad-email": sign_up(email="nobody", password=PASSWORD),
    "signup-invalid-weak-password": sign_up(email=ANNA, password="abc"),
    "signup-invalid-weak-password-ver": lambda project: project.ask(
        "POST", "/signup", {"email": ANNA, "password": "abc"}, versioned=True
    ),
    "signup-invalid-long-password": sign_up(email=ANNA, password="x" * 73),
    "signup-badjson": lambda project: project.ask(
        "POST", "/signup", data=b'{"email"', headers=JSON
    ),
    "signup-body-too-large": sign_up(email=ANNA, password=PASSWORD, data={"x": "y" * 1_100_000}),
    "signup-pkce-invalid-method-missing": sign_up(
        email=ANNA, password=PASSWORD, code_challenge="c" * 43
    ),
    "signup-autoconfirm-existing": setting(
        twice(lambda project: project.sign_up(ANNA)), autoconfirm=True
    ),
    "signup-autoconfirm-existing-ver": setting(
        after_sign_up(
            lambda project: project.ask(
                "POST", "/signup", {"email": ANNA, "password": PASSWORD}, versioned=True
            )
        ),
        autoconfirm=True,
    ),
    "signup-window-second": setting(twice(lambda project: project.sign_up(ANNA)), mail_window_s=60),
    "signup-mailquota-second": setting(lambda project: project.sign_up(ANNA), mail_quota=0),
    "signup-disabled": setting(lambda project: project.sign_up(ANNA), signup_disabled=True),
    "signup-email-disabled": setting(lambda project: project.sign_up(ANNA), email_disabled=True),
    "signup-smtp-slow": faulty(lambda project: project.sign_up(ANNA), "signup", "request_timeout"),
    "captcha-missing-signup": setting(lambda project: project.sign_up(ANNA), captcha=True),
    # -- password grant
    "login-ok": after_joining(login()),
    "login-ok-ver": after_joining(login(versioned=True)),
    "login-email-uppercase": after_joining(login("ANNA@Example.com")),
    "login-wrong-password": after_joining(login(password="Wrong-horse-9")),
    "login-wrong-password-ver": after_joining(login(password="Wrong-horse-9", versioned=True)),
    "login-unknown-email": login(),
    "login-missing-email": lambda project: project.ask(
        "POST", "/token?grant_type=password", {"password": PASSWORD}
    ),
    "login-unconfirmed-right-password": after_sign_up(login()),
    "login-unconfirmed-wrong-password": after_sign_up(login(password="Wrong-horse-9")),
    "login-banned-right-password": banned(lambda project, _: project.login(ANNA)),
    "login-banned-wrong-password": banned(lambda project, _: project.login(ANNA, "Wrong-9")),
    "login-no-grant": lambda project: project.ask("POST", "/token", {"email": ANNA}),
    "login-unsupported-grant": lambda project: project.ask(
        "POST", "/token?grant_type=client_credentials", {}
    ),
    "login-badjson": lambda project: project.ask(
        "POST",
        "/token?grant_type=password",
        data=b"{",
        headers=JSON,
    ),
    "login-email-disabled": setting(login(), email_disabled=True),
    "login-mfa-user-aal1": with_factor(lambda project, _: project.login(ANNA)),
    "login-refresh-v2": setting(after_joining(login()), refresh_algorithm=2),
    "login-password-oauth-only-user": lambda project: (
        returned()(project) and project.login("octo@example.com")
    ),
    "token-get": lambda project: project.ask("GET", "/token?grant_type=password"),
    "request-timeout-login": faulty(login(), "token", "request_timeout"),
    "request-timeout-login-ver": faulty(login(versioned=True), "token", "request_timeout"),
    "ratelimit-token": faulty(login(), "token", "over_request_rate_limit"),
    "dbdown-login": faulty(login(), "token", "unexpected_failure"),
    # -- refresh
    "refresh-ok": joined(lambda project, session: project.refresh(session["refresh_token"])),
    "refresh-reuse-parent-within-interval": joined(
        lambda project, session: twice(lambda p: p.refresh(session["refresh_token"]))(project)
    ),
    "refresh-reuse-grandparent-after-interval": grandparent,
    "refresh-branch-1-grandparent-in-interval": branch,
    "refresh-v2-ok": setting(
        joined(lambda project, session: project.refresh(session["refresh_token"])),
        refresh_algorithm=2,
    ),
    "refresh-v2-reuse-grandparent-within-interval": setting(branch, refresh_algorithm=2),
    "refresh-v2-reuse-grandparent-after-interval": setting(grandparent, refresh_algorithm=2),
    "refresh-unknown": lambda project: project.refresh("abcdefghijkl"),
    "refresh-unknown-ver": lambda project: project.refresh("abcdefghijkl", versioned=True),
    "refresh-malformed-short": lambda project: project.refresh("abc"),
    "refresh-missing-field": lambda project: project.ask(
        "POST", "/token?grant_type=refresh_token", {}
    ),
    "refresh-banned": banned(lambda project, session: project.refresh(session["refresh_token"])),
    "refresh-after-logout-local": signed_out(
        lambda project, session: project.refresh(session["refresh_token"])
    ),
    "refresh-after-user-deleted": gone(
        lambda project, session: project.refresh(session["refresh_token"])
    ),
    "dbdown-refresh": faulty(
        lambda project: project.refresh("abcdefghijkl"), "token", "unexpected_failure"
    ),
    # -- links and codes
    "verify-signup-tokenhash": lambda project: (
        project.sign_up(ANNA, **NAMED) and open_link("signup")(project)
    ),
    "verify-signup-tokenhash-used": after_sign_up(twice(open_link("signup"))),
    "verify-signup-tokenhash-used-ver": after_sign_up(twice(open_link("signup", versioned=True))),
    "verify-tokenhash-wrong-type-recovery": after_sign_up(open_link("recovery")),
    "verify-email-type-tokenhash-ok": after_sign_up(open_link("email")),
    "verify-tokenhash-unknown-type": verify(type="banana", token_hash=ZERO_HASH),
    "verify-tokenhash-missing-type": verify(token_hash=ZERO_HASH),
    "verify-tokenhash-unknown-hash": verify(type="signup", token_hash=ZERO_HASH),
    "verify-tokenhash-plus-email": verify(type="signup", token_hash=ZERO_HASH, email=ANNA),
    "verify-otp-wrong-code": after_sign_up(verify(type="signup", email=ANNA, token="no-code")),
    "verify-otp-bad-email": verify(type="signup", email="nobody", token="123456"),
    "verify-recovery-tokenhash": recovering,
    "verify-email-change-first-new": email_change_half,
    "verify-email-change-second-current": email_change_done,
    "verify-get-signup-implicit": after_sign_up(followed),
    "verify-get-signup-used": after_sign_up(lambda project: followed(project, twice=True)),
    "verify-get-no-token": lambda project: project.ask("GET", "/verify?type=signup"),
    "verify-get-head": lambda project: project.ask(
        "HEAD", f"/verify?token={ZERO_HASH}&type=signup"
    ),
    "recover-known": after_joining(
        lambda project: project.ask("POST", "/recover", {"email": ANNA})
    ),
    "recover-unknown": lambda project: project.ask("POST", "/recover", {"email": ANNA}),
    "recover-missing-email": lambda project: project.ask("POST", "/recover", {}),
    "recover-bad-email": lambda project: project.ask("POST", "/recover", {"email": "nobody"}),
    "recover-window-second": setting(
        after_joining(twice(lambda project: project.ask("POST", "/recover", {"email": ANNA}))),
        mail_window_s=60,
    ),
    "recover-email-disabled": setting(
        lambda project: project.ask("POST", "/recover", {"email": ANNA}), email_disabled=True
    ),
    "resend-signup-unconfirmed": after_sign_up(
        lambda project: project.ask("POST", "/resend", {"type": "signup", "email": ANNA})
    ),
    "resend-signup-unknown": lambda project: project.ask(
        "POST", "/resend", {"type": "signup", "email": ANNA}
    ),
    "resend-type-recovery": lambda project: project.ask(
        "POST", "/resend", {"type": "recovery", "email": ANNA}
    ),
    # -- OAuth
    "oauth-authorize-github": authorize,
    "oauth-authorize-google": lambda project: authorize(project, "google"),
    "oauth-authorize-unknown-provider": lambda project: authorize(project, "banana"),
    "oauth-authorize-method-missing": lambda project: authorize(project, code_challenge_method=""),
    "oauth-authorize-challenge-short": lambda project: authorize(project, code_challenge="abc"),
    "oauth-callback-github-new-user": returned(),
    "oauth-callback-google": returned(provider="google"),
    "oauth-callback-user-denied": returned("cancel"),
    "oauth-callback-provider-500": returned("fail"),
    "oauth-callback-no-email": returned(email=""),
    "oauth-callback-unverified-email": returned(verified=None),
    "oauth-callback-state-missing": lambda project: project.ask("GET", "/callback?code=x"),
    "oauth-callback-state-unknown": lambda project: project.ask(
        "GET", f"/callback?code=x&state={NOBODY}"
    ),
    "oauth-callback-signup-disabled": setting(returned(), signup_disabled=True),
    "pkce-exchange-ok": exchange(),
    "pkce-exchange-wrong-verifier": exchange(verifier="w" * 64),
    "pkce-exchange-expired": exchange(ahead=600),
    "pkce-exchange-unknown-code": lambda project: project.ask(
        "POST", "/token?grant_type=pkce", {"auth_code": NOBODY, "code_verifier": VERIFIER}
    ),
    "pkce-exchange-empty": lambda project: project.ask(
        "POST", "/token?grant_type=pkce", {"auth_code": "", "code_verifier": ""}
    ),
    # -- the person
    "user-get": lambda project: (
        project.sign_up(ANNA, **NAMED) and get_user(project, project.verify(ANNA, "signup"))
    ),
    "user-get-garbage-jwt": user_of("garbage"),
    "user-get-garbage-jwt-ver": user_of("garbage", versioned=True),
    "user-get-anon-key": user_of(""),
    "user-get-no-auth": user_of("", headers={"Authorization": "Basic eDp5"}),
    "user-get-expired": joined(expired),
    "user-get-banned": banned(get_user),
    "user-get-after-user-deleted": gone(get_user),
    "user-get-after-logout": signed_out(get_user),
    "user-get-other-session-after-password-change": joined(change_password),
    "user-get-factor-unverified": joined(
        lambda project, session: enrol(project, session) and get_user(project, session)
    ),
    "user-get-factor-verified": with_factor(get_user),
    "user-put-password-ok": lambda project: (
        project.sign_up(ANNA, **NAMED)
        and project.ask(
            "PUT",
            "/user",
            {"password": "Another-horse-9"},
            token=project.verify(ANNA, "signup")["access_token"],
        )
    ),
    "user-put-same-password": put({"password": PASSWORD}),
    "user-put-weak-password": put({"password": "abc"}),
    "user-put-weak-password-ver": put({"password": "abc"}, versioned=True),
    "user-put-long-password": put({"password": "x" * 73}),
    "user-put-email-bad": put({"email": "nobody"}),
    "user-put-app-metadata": put({"app_metadata": {"role": "admin"}}),
    "user-put-email-change": put({"email": "anna2@example.com"}),
    "user-put-password-aal1": with_factor(
        lambda project, session: project.ask(
            "PUT", "/user", {"password": "Another-horse-9"}, token=session["access_token"]
        )
    ),
    "user-put-password-reauth-needed": joined(reauthenticated),
    "user-put-current-password-missing": setting(
        lambda project: (
            project.join(ANNA)
            and project.ask(
                "PUT",
                "/user",
                {"password": "Another-horse-9"},
                token=project.login(ANNA).json()["access_token"],
            )
        ),
        require_current_password=True,
    ),
    "user-identities-unlink-disabled": setting(
        own("DELETE", f"/user/identities/{NOBODY}"), manual_linking=False
    ),
    "user-delete": own("DELETE", "/user"),
    "dbdown-user-get": faulty(joined(get_user), "user", "unexpected_failure", bare=True),
    "reauthenticate-ok": own("GET", "/reauthenticate"),
    "reauthenticate-post": own("POST", "/reauthenticate"),
    "logout-local": own("POST", "/logout?scope=local"),
    "logout-local-again": signed_out(
        lambda project, session: project.ask(
            "POST", "/logout?scope=local", token=session["access_token"]
        )
    ),
    "logout-global-default": own("POST", "/logout"),
    "logout-bad-scope": own("POST", "/logout?scope=banana"),
    "gateway-anon-logout": lambda project: project.ask("POST", "/logout"),
    # -- second factor
    "factors-challenge": joined(challenged),
    "factors-enroll-totp": joined(enrol),
    "factors-enroll-same-name": joined(
        lambda project, session: twice(lambda p: enrol(p, session))(project)
    ),
    "factors-bad-type": joined(
        lambda project, session: project.ask(
            "POST", "/factors", {"factor_type": "smoke"}, token=session["access_token"]
        )
    ),
    "factors-verify-ok": show_code(),
    "factors-verify-wrong": show_code("no-code"),
    "factors-verify-wrong-ver": show_code("no-code", versioned=True),
    "factors-unknown": joined(
        lambda project, session: project.ask(
            "POST", f"/factors/{NOBODY}/challenge", token=session["access_token"]
        )
    ),
    "factors-not-uuid": joined(
        lambda project, session: project.ask(
            "POST", "/factors/abc/challenge", token=session["access_token"]
        )
    ),
    "factors-enroll-second-aal1": with_factor(enrol),
    "factors-unenroll-aal1": with_factor(
        lambda project, session: project.ask(
            "DELETE", f"/factors/{factor_id(session)}", token=session["access_token"]
        )
    ),
    # -- operators
    "admin-create": lambda project: project.admin(
        "POST",
        "",
        {
            "email": ANNA,
            "password": PASSWORD,
            "email_confirm": True,
            "app_metadata": {"plan": "pro"},
            "user_metadata": {"name": "Anna"},
        },
    ),
    "admin-create-duplicate": made(lambda project, _: project.admin("POST", "", {"email": ANNA})),
    "admin-create-duplicate-ver": made(
        lambda project, _: project.admin("POST", "", {"email": ANNA}, versioned=True)
    ),
    "admin-create-no-email": lambda project: project.admin("POST", "", {"password": PASSWORD}),
    "admin-create-bad-email": lambda project: project.admin("POST", "", {"email": "nobody"}),
    "admin-list": made(lambda project, _: project.admin("GET", "?page=1&per_page=2")),
    "admin-list-beyond": made(lambda project, _: project.admin("GET", "?page=99&per_page=2")),
    "admin-list-bad-page": lambda project: project.admin("GET", "?page=x"),
    "admin-anon": lambda project: project.ask("GET", "/admin/users"),
    "admin-get-unknown": lambda project: project.admin("GET", f"/{NOBODY}"),
    "admin-get-unknown-ver": lambda project: project.admin("GET", f"/{NOBODY}", versioned=True),
    "admin-get-not-uuid": lambda project: project.admin("GET", "/abc"),
    "admin-ban-bad": made(
        lambda project, user: project.admin("PUT", f"/{user}", {"ban_duration": "1d"})
    ),
    "admin-delete-no-body": made(lambda project, user: project.admin("DELETE", f"/{user}")),
    "admin-delete-again": made(
        lambda project, user: twice(lambda p: p.admin("DELETE", f"/{user}"))(project)
    ),
    "admin-invite": lambda project: project.ask(
        "POST", "/invite", {"email": ANNA, **NAMED}, key=SECRET_KEY
    ),
    "admin-invite-existing": made(
        lambda project, _: project.ask("POST", "/invite", {"email": ANNA}, key=SECRET_KEY)
    ),
}
