"""Async SDK for Mihu phone numbers and trunks. Everything public comes from here; the sandbox has its own module."""

from mihu_async._version import __version__
from mihu_async.checkpoint_file import CheckpointFile
from mihu_async.client import MihuClient
from mihu_async.core.rate_limit import RateLimit
from mihu_async.core.retry import RetryBudget, RetryPolicy
from mihu_async.core.timeout import Timeout
from mihu_async.errors import (
    APIError,
    Attempt,
    AuthenticationError,
    BadRequestError,
    BindingError,
    CheckpointInUseError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    DecodeError,
    DriftError,
    DryRun,
    LedgerError,
    MihuError,
    NoOfferError,
    NotFoundError,
    OutcomeUnknownError,
    PaginationError,
    PermissionDeniedError,
    PurchaseLimitError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
    UsageError,
    ValidationError,
    WaitError,
    WaitTimeoutError,
)
from mihu_async.hooks import Hooks
from mihu_async.models.agents import Agent
from mihu_async.models.channels import Channel, Channels, NumberChannels
from mihu_async.models.enums import (
    ChannelName,
    ComplianceStatus,
    Direction,
    NumberSort,
    NumberSource,
    NumberStatus,
    NumberType,
    TrunkChannel,
)
from mihu_async.models.inputs import Address, RequirementValue, SipCredentials
from mihu_async.models.numbers import (
    AvailableNumber,
    Billing,
    Binding,
    Bindings,
    Capabilities,
    ChannelSettings,
    Compliance,
    InboundSettings,
    OutboundSettings,
    PhoneNumber,
    Requirement,
)
from mihu_async.models.pages import Page, Pagination
from mihu_async.models.provisional import PurchaseRequirement, PurchaseRequirements
from mihu_async.models.rates import Price, Rate
from mihu_async.models.sip import SipAssignment, SipConnection
from mihu_async.models.unset import UNSET, Unset
from mihu_async.models.updates import InboundUpdate, OutboundUpdate, SipUpdate
from mihu_async.paging.pager import Pager, Shard
from mihu_async.reports import CallReport, PageReport, Problem, WalkReport
from mihu_async.resources.bulk import EnsureReport, EnsureResult, EnsureRun
from mihu_async.resources.ensure import Ensured, EnsureOutcome, TrunkSpec
from mihu_async.resources.provisional import ProvisionalWarning
from mihu_async.resources.purchase import Purchase
from mihu_async.resources.recovery import Recovered, RecoveryOutcome
from mihu_async.resources.watcher import Change, ChangeKind, Watcher

__all__ = [  # noqa: RUF022 - in Python's own order, which does not put constants first
    "APIError",
    "Address",
    "Agent",
    "Attempt",
    "AuthenticationError",
    "AvailableNumber",
    "BadRequestError",
    "Billing",
    "Binding",
    "BindingError",
    "Bindings",
    "CallReport",
    "Capabilities",
    "Change",
    "ChangeKind",
    "Channel",
    "ChannelName",
    "ChannelSettings",
    "Channels",
    "CheckpointFile",
    "CheckpointInUseError",
    "Compliance",
    "ComplianceStatus",
    "ConflictError",
    "ConnectError",
    "ConnectTimeoutError",
    "ConnectionLostError",
    "DecodeError",
    "Direction",
    "DriftError",
    "DryRun",
    "EnsureOutcome",
    "EnsureReport",
    "EnsureResult",
    "EnsureRun",
    "Ensured",
    "Hooks",
    "InboundSettings",
    "InboundUpdate",
    "LedgerError",
    "MihuClient",
    "MihuError",
    "NoOfferError",
    "NotFoundError",
    "NumberChannels",
    "NumberSort",
    "NumberSource",
    "NumberStatus",
    "NumberType",
    "OutboundSettings",
    "OutboundUpdate",
    "OutcomeUnknownError",
    "Page",
    "PageReport",
    "Pager",
    "Pagination",
    "PaginationError",
    "PermissionDeniedError",
    "PhoneNumber",
    "Price",
    "Problem",
    "ProvisionalWarning",
    "Purchase",
    "PurchaseLimitError",
    "PurchaseRequirement",
    "PurchaseRequirements",
    "Rate",
    "RateLimit",
    "RateLimitError",
    "Recovered",
    "RecoveryOutcome",
    "RequestTimeoutError",
    "Requirement",
    "RequirementValue",
    "RetryBudget",
    "RetryPolicy",
    "ServerError",
    "Shard",
    "SipAssignment",
    "SipConnection",
    "SipCredentials",
    "SipUpdate",
    "Timeout",
    "TransportError",
    "TrunkChannel",
    "TrunkSpec",
    "UNSET",
    "Unset",
    "UsageError",
    "ValidationError",
    "WaitError",
    "WaitTimeoutError",
    "WalkReport",
    "Watcher",
    "__version__",
]
