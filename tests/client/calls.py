"""Small calls of both scripts, and the parts to make them of. Numbers of enums are the contract's."""

ROBOT, CUSTOMER = 1, 2


def answered(at_ms=5_000):
    return {"at_ms": at_ms, "answered": {}}


def robot(at_ms, text, node="", **more):
    return {"at_ms": at_ms, "utterance": {"speaker": ROBOT, "text": text, "node_id": node, **more}}


def customer(at_ms, text, **more):
    return {"at_ms": at_ms, "utterance": {"speaker": CUSTOMER, "text": text, **more}}


def hangup(at_ms, by=1):
    return {"at_ms": at_ms, "hangup": {"by": by}}


# Three questions, though he declines in the end: A1. On the way: C1, B1, A1.
BROADBAND_A = [
    answered(),
    robot(5_100, "您好，这里是移动宽带服务中心，现在回馈老用户，送您一条五十兆的家庭宽带，您看要不要给您办一个？", "opening", played=1.0),
    customer(15_000, "网速多少兆"),
    robot(17_000, "五十兆的光纤宽带。"),
    customer(20_000, "那路由器送不送"),
    robot(22_000, "光猫是免费提供的。"),
    customer(25_000, "要签合约吗"),
    hangup(28_000),
]

# Declines twice in a row: first D2, then D1.
BROADBAND_D = [
    answered(4_000),
    robot(4_100, "您好，移动公司送您一条五十兆宽带，免费用两年，您看要不要办一个？", "opening", played=1.0),
    customer(12_000, "不需要"),
    robot(13_000, "您先别急着拒绝，错过就没有了。", "rescue", played=1.0),
    customer(18_000, "真不用了，谢谢"),
    hangup(20_000),
]

# Two questions and a yes to the invite: A1.
TELEMARKETING_A = [
    answered(),
    robot(5_100, "您好，我们是做智能电话机器人的，可以替您打电话找客户。", "opening", played=1.0),
    customer(11_000, "你这个多少钱"),
    robot(12_000, "我们是按坐席按月收费的，效果很好。", "product", played=1.0),
    customer(20_000, "能先试用吗"),
    robot(21_000, "可以的，那我安排同事给您演示一下，您看可以吗？", "invite", played=1.0),
    customer(27_000, "可以"),
    hangup(30_000),
]

# Nobody can be talked to: the phone is switched off.
SWITCHED_OFF = [
    {"at_ms": 9_000, "not_connected": {"announcement": "您好，您拨打的电话已关机，请稍后再拨。", "sip_code": 480}},
]
