"""What secrets look like: one rule for each kind of token that services give out (spec 3.13).

A rule's pattern is looked for only where a cheap sign of it is in the text: a word that begins as its tokens do, or the
name of its service. Formats are those the services document.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

__all__ = ["RULES", "Rule"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One kind of secret.

    Attributes:
        family: Its name for people.
        expression: Matches it in text without JSON's escapes; the group ``secret`` is the value.
        starts: Three letters its tokens begin with; any of them.
        marks: Text that stands wherever one is; any of them.
        vendors: Names of the service in lower case, any of which stands before it.
    """

    family: str
    expression: str
    starts: frozenset[bytes] = frozenset()
    marks: tuple[bytes, ...] = ()
    vendors: tuple[bytes, ...] = ()

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """The expression compiled, once and not before it is needed: all of them take long."""
        return _compiled(self.expression)


@functools.cache
def _compiled(expression: str) -> re.Pattern[bytes]:
    return re.compile(expression.encode())


_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HEX32: Final = "[0-9a-f]{32}"
_SECRET: Final = "secret|token|key|auth"


def _token(family: str, shape: str, *starts: str) -> Rule:
    """A token that tells by itself what it is."""
    return Rule(
        family=family,
        expression=rf"(?<![A-Za-z0-9_])(?P<secret>{shape})(?![A-Za-z0-9_])",
        starts=frozenset(start.encode() for start in starts),
    )


def _marked(family: str, shape: str, *marks: str) -> Rule:
    """A token with a mark in its middle, or a block of text."""
    expression = rf"(?<![A-Za-z0-9_])(?P<secret>{shape})"
    return Rule(family=family, expression=expression, marks=tuple(mark.encode() for mark in marks))


def _named(family: str, vendors: str, shape: str, words: str = _SECRET) -> Rule:
    """A value that is only letters and digits: a secret where a name says so, such as ``ACME_API_KEY=…``."""
    expression = (
        rf"(?i:{vendors})[\w .:\"'{{\\-]{{0,40}}?(?i:{words})[\w .-]{{0,20}}[\"'\\\]]{{0,4}}\s{{0,3}}(?:=>|:=|=|:)"
        rf"\s{{0,3}}[\"'\\]{{0,4}}(?P<secret>{shape})(?![A-Za-z0-9_/+=-])"
    )
    return Rule(family=family, expression=expression, vendors=tuple(vendors.encode().split(b"|")))


_MIXED: Final = r"(?=[A-Za-z0-9/+]{0,39}[A-Z])(?=[A-Za-z0-9/+]{0,39}[a-z])(?=[A-Za-z0-9/+]{0,39}[0-9])"
_BASE64_LINES: Final = r"(?:[A-Za-z0-9+/=]{16,}+(?:\s|\\[nr])*+)++"
_PEM: Final = (
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr])*+"
    rf"(?:[A-Za-z-]+: [^\n\\]{{0,200}}(?:\s|\\[nr])++){{0,6}}{_BASE64_LINES}"
    r"(?:[A-Za-z0-9+/=]{1,15}(?:\s|\\[nr])*+)?(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"
)
_QUOTES: Final = r"[\"'\\]{1,3}"
_SERVICE_ACCOUNT: Final = (
    rf"service_account{_QUOTES}[^{{}}]{{0,600}}?private_key{_QUOTES}\s*:\s*{_QUOTES}"
    r"(?P<secret>-----BEGIN[^\"]{40,4000})"
)
_DOCKER_AUTH: Final = (
    rf"auths{_QUOTES}\s*:\s*\{{\s*[^{{}}]{{0,200}}\{{[^{{}}]{{0,400}}?{_QUOTES}auth{_QUOTES}\s*:\s*{_QUOTES}"
    r"(?P<secret>[A-Za-z0-9+/]{14,}={0,2})"
)

RULES: Final[tuple[Rule, ...]] = (
    # Clouds and hosts.
    _token("AWS access key id", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}", "AKI", "ASI", "ABI", "ACC"),
    _named("AWS secret key", "aws|secretaccesskey|secret_access_key", rf"{_MIXED}[A-Za-z0-9/+]{{40}}", "secret|key|"),
    Rule(
        family="Google Cloud service account",
        expression=_SERVICE_ACCOUNT,
        marks=(b"service_account",),
    ),
    _token("Google OAuth client secret", r"GOCSPX-[A-Za-z0-9_-]{28}", "GOC"),
    _token("Alibaba access key id", r"LTAI[A-Za-z0-9]{16,20}", "LTA"),
    _named("Alibaba access key secret", "alibaba|aliyun|alicloud", "[A-Za-z0-9]{30}"),
    _token("DigitalOcean token", r"do[opr]_v1_[a-f0-9]{64}", "doo", "dop", "dor"),
    _token("Heroku API key", r"HRKU-[A-Za-z0-9_-]{36,80}", "HRK"),
    _named("Heroku API key", "heroku", _UUID),
    _token("PlanetScale credential", r"pscale_(?:pw|tkn|oauth|app_secret)_[A-Za-z0-9_.=-]{32,64}", "psc"),
    _token("Fastly API token", r"fastly_[A-Za-z0-9_-]{32,64}", "fas"),
    _named("Fastly API token", "fastly", r"[A-Za-z0-9_-]{32}"),
    _token("Databricks token", r"dapi[a-f0-9]{32}(?:-\d)?", "dap"),
    _token("Doppler token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{1,40}\.)?[A-Za-z0-9]{40,44}", "dp."),
    _token("Pulumi token", r"pul-[a-f0-9]{40}", "pul"),
    _marked("Terraform Cloud token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}", ".atlasv1."),
    # Code and packages.
    _token("GitHub token", r"gh[pousr]_[A-Za-z0-9]{36,255}", "ghp", "gho", "ghu", "ghs", "ghr"),
    _token("GitHub fine-grained token", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", "git"),
    _token(
        "GitLab token",
        r"gl(?:pat|dt|rt|cbt|ptt|soat|ft)-[A-Za-z0-9_.-]{20,300}",
        "glp",
        "gld",
        "glr",
        "glc",
        "gls",
        "glf",
    ),
    _token("Hugging Face token", r"hf_(?=[a-z0-9]{0,33}[A-Z])[A-Za-z0-9]{34}", "hf_"),
    _token("PyPI token", r"pypi-AgE[A-Za-z0-9_-]{50,1000}", "pyp"),
    _token("npm token", r"npm_[A-Za-z0-9]{36}", "npm"),
    _token("RubyGems key", r"rubygems_[a-f0-9]{48}", "rub"),
    _token("Clojars token", r"CLOJARS_[a-z0-9]{60}", "CLO"),
    _token("Packagist token", r"packagist_[a-z]{2,4}_[a-f0-9]{68}", "pac"),
    _token("Docker access token", r"dckr_[po]at_[A-Za-z0-9_-]{27,32}", "dck"),
    Rule(family="Docker login", expression=_DOCKER_AUTH, marks=(b"auths",)),
    _token("Atlassian token", r"ATATT3[A-Za-z0-9_=-]{60,300}", "ATA"),
    _named("Atlassian token", "atlassian|jira|confluence", r"(?=[A-Za-z]{0,23}\d)[A-Za-z0-9]{24}"),
    _token("Bitbucket app password", r"ATBB[A-Za-z0-9]{32}", "ATB"),
    _named("Bitbucket client secret", "bitbucket", r"[A-Za-z0-9_-]{64}"),
    _named("Bitbucket client id", "bitbucket", r"[A-Za-z0-9]{32}", "client|key"),
    _token("Postman key", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}", "PMA"),
    _token("Linear API key", r"lin_(?:api|oauth)_[A-Za-z0-9]{40,64}", "lin"),
    _named("Linear client secret", "linear", _HEX32, "secret"),
    _token("New Relic key", r"NR(?:AK|JS|II|IQ)-[A-Za-z0-9_-]{19,40}", "NRA", "NRJ", "NRI"),
    _named("New Relic key", "newrelic|new_relic|new-relic", r"[A-Z0-9]{64}"),
    _token("Grafana token", r"gl(?:sa_[A-Za-z0-9]{32}_[a-f0-9]{8}|c_eyJ[A-Za-z0-9+/=]{32,400})", "gls", "glc"),
    _token("Dynatrace token", r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}", "dt0"),
    # Models.
    _token("OpenAI key", r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}", "sk-"),
    _token("OpenAI key", r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}", "sk-"),
    _token("Anthropic key", r"sk-ant-[a-z]{3,5}\d\d-[A-Za-z0-9_-]{80,120}", "sk-"),
    # Messages and people.
    _token("Slack token", r"xox[a-z](?:\.xox[a-z])?-(?=[A-Za-z0-9-]{0,20}\d{4})[A-Za-z0-9-]{20,250}", "xox"),
    _token("Slack token", r"xapp-\d-[A-Z0-9]{8,14}-\d{8,16}-[a-f0-9]{64}", "xap"),
    _token(
        "Slack webhook",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9/]{18,60}",
        "hoo",
    ),
    _named("Discord token", "discord", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"),
    _named("Discord token", "discord", r"[a-f0-9]{64}"),
    _named("Discord client secret", "discord", r"[A-Za-z0-9_-]{32}", "secret"),
    _named("Discord client id", "discord", r"\d{17,20}", "client_id|client id|client-id|clientid"),
    _token("Twilio API key", r"SK[a-f0-9]{32}", *(f"SK{digit}" for digit in "0123456789abcdef")),
    _named("Twilio token", "twilio", _HEX32),
    _token("SendGrid key", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", "SG."),
    _token("Sendinblue key", r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}", "xke"),
    _marked("Mailchimp key", r"[a-f0-9]{32}-us\d{1,2}(?![A-Za-z0-9])", "-us"),
    _named("Mailgun key", "mailgun", r"(?:pub)?key-[a-f0-9]{32}|[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}"),
    _named("MessageBird token", "messagebird|message-bird|message_bird", r"[A-Za-z0-9]{25}"),
    _named("MessageBird client id", "messagebird|message-bird|message_bird", _UUID, "client"),
    _named("Intercom token", "intercom", r"[A-Za-z0-9=_]{60}"),
    _named("Intercom client secret", "intercom", _UUID, "secret"),
    _token("HubSpot token", rf"pat-(?:na|eu)\d-{_UUID}", "pat"),
    _named("HubSpot key", "hubspot", _UUID),
    _token("Facebook token", r"EAA[A-Za-z0-9]{60,400}ZD", "EAA"),
    _named("Facebook app secret", "facebook|fb_app", _HEX32),
    _named("Twitter key", "twitter", r"(?=[A-Za-z%]{0,34}\d)[A-Za-z0-9%]{35,120}", _SECRET + "|bearer"),
    _named("LinkedIn client secret", "linkedin", r"(?=[A-Za-z]{0,15}\d)[A-Za-z0-9]{16}", "secret"),
    _named("LinkedIn client id", "linkedin", r"(?=[a-z]{0,13}\d)[a-z0-9]{14}", "client"),
    _named("Twitch token", "twitch", r"(?=[a-z]{0,29}\d)[a-z0-9]{30}"),
    _token("Typeform token", r"tfp_[A-Za-z0-9_.=-]{44,60}", "tfp"),
    _named("Beamer key", "beamer", r"b_[A-Za-z0-9=_-]{44}"),
    # Money and parcels.
    _token("Stripe secret key", r"[sr]k_(?:live|test)_[A-Za-z0-9]{20,250}", "sk_", "rk_"),
    _token("Stripe publishable key", r"pk_(?:live|test)_[A-Za-z0-9]{20,250}", "pk_"),
    _token("Shopify token", r"shp(?:ss|at|ca|pa|tka)_[a-fA-F0-9]{32}", "shp"),
    _token("Flutterwave key", r"FLW(?:PUB|SEC)K(?:_TEST)?-[a-f0-9]{32}-X", "FLW"),
    _token("Flutterwave key", r"FLWSECK_TEST[a-f0-9]{12}", "FLW"),
    _named("GoCardless token", "gocardless", r"live_[A-Za-z0-9_=-]{40}"),
    _named("Finicity token", "finicity", rf"{_HEX32}|[a-z0-9]{{20}}"),
    _token("Duffel token", r"duffel_(?:test|live)_[A-Za-z0-9_=-]{43}", "duf"),
    _token("EasyPost key", r"EZ[AT]K[A-Za-z0-9]{54}", "EZA", "EZT"),
    _token("Shippo token", r"shippo_(?:live|test)_[a-f0-9]{40}", "shi"),
    _token("Lob key", r"(?:live|test)_(?:[a-f0-9]{35}|pub_[a-f0-9]{31})", "liv", "tes"),
    # Content and work.
    _token("Adobe client secret", r"p8e-[A-Za-z0-9]{32}", "p8e"),
    _named("Adobe client id", "adobe", _HEX32, "client|key"),
    _named("Asana token", "asana", r"[0-2]/\d{16}(?:/\d{16})?:[a-f0-9]{32}|[a-z0-9]{32}"),
    _named("Asana client id", "asana", r"\d{16}", "client_id|client id|client-id|clientid"),
    _token("Contentful token", r"CFPAT-[A-Za-z0-9_=-]{43}", "CFP"),
    _named("Contentful token", "contentful", r"[A-Za-z0-9=_-]{43}"),
    _token("Dropbox token", r"sl\.(?:u\.)?[A-Za-z0-9_=-]{130,1500}", "sl."),
    _named("Dropbox token", "dropbox", r"[a-z0-9]{11}AAAAAAAAAA[A-Za-z0-9_=-]{43}|(?=[a-z]{0,14}\d)[a-z0-9]{15}"),
    _token("Frame.io token", r"fio-u-[A-Za-z0-9_=-]{64}", "fio"),
    _token("Ionic token", r"ion_[A-Za-z0-9]{42}", "ion"),
    _token("Mapbox token", r"[ps]k\.eyJ[A-Za-z0-9_-]{40,100}\.[A-Za-z0-9_-]{22}", "pk.", "sk."),
    # Whatever it is for.
    _marked("private key", _PEM, "PRIVATE KEY"),
    _token("age secret key", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", "AGE"),
    _token("JSON web token", r"eyJ[A-Za-z0-9_-]{14,2000}\.eyJ[A-Za-z0-9_-]{14,4000}\.[A-Za-z0-9_-]{20,1000}", "eyJ"),
)
