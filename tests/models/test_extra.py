import copy
import json
import pickle

import attrs
import pytest

from mihu_async import AvailableNumber, PurchaseRequirement
from mihu_async.models.extra import Extra, keeps_extra

OFFER = AvailableNumber(number="+390790080041", extra={"currency": "EUR", "features": ["voice"]})


@pytest.mark.parametrize(
    "change",
    [
        lambda extra: extra.__setitem__("a", 1),
        lambda extra: extra.__delitem__("currency"),
        lambda extra: extra.__ior__({"a": 1}),
        lambda extra: extra.update(a=1),
        lambda extra: extra.setdefault("a", 1),
        lambda extra: extra.pop("currency"),
        lambda extra: extra.popitem(),
        lambda extra: extra.clear(),
    ],
)
def test_what_was_answered_cannot_be_changed(change):
    """Every way to change a dict is refused."""
    with pytest.raises(TypeError, match="cannot be changed"):
        change(OFFER.extra)

    assert {"currency": "EUR", "features": ["voice"]} == OFFER.extra


def test_a_model_with_extra_is_a_value_as_all_are():
    """It can be pickled, copied, hashed and compared, and becomes JSON by the same recipe."""
    assert OFFER == pickle.loads(pickle.dumps(OFFER)) == copy.deepcopy(OFFER)
    assert isinstance(copy.deepcopy(OFFER).extra, Extra)
    assert {OFFER} == {attrs.evolve(OFFER)}
    assert OFFER != attrs.evolve(OFFER, extra={})
    assert OFFER.extra == json.loads(json.dumps(attrs.asdict(OFFER), default=str))["extra"]


def test_extra_is_empty_unless_something_came():
    """It is there, and no one else's."""
    one, other = PurchaseRequirement(key="a"), PurchaseRequirement(key="b")

    assert {} == one.extra
    assert one.extra is not other.extra


@pytest.mark.parametrize(("kind", "keeps"), [(AvailableNumber, True), (attrs.Attribute, False), (int, False)])
def test_which_models_keep_what_is_unknown(kind, keeps):
    """Those that have the field."""
    assert keeps is keeps_extra(kind)
