//! The one table of codes and recordings, each row with its source.

use DialResult::{Busy, Failed, InvalidNumber, NoAnswer, PoweredOff, Rejected, Suspended, Unreachable};
use HangupCause as Cause;
use Key::{Names, NumberState, Q850, Says, Sip};
use Rank::{Aside, Call, Check, Number, Own, Redial, Vague};
use freeswitch_types::HangupCause;

use super::super::event::DialResult;

/// One thing known about how dialing ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// What is seen or heard.
    pub key: Key,
    /// What it means.
    pub result: DialResult,
    /// Who says so.
    pub source: &'static str,
}

/// What is seen or heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Key {
    /// An ITU-T Q.850 cause.
    Q850(u32),
    /// SIP responses, from the first to the second.
    Sip(u32, u32),
    /// Names of FreeSWITCH's `switch_cause_t`.
    Names(&'static [HangupCause]),
    /// A number state of da2, and its English name there, which also counts as a whole announcement.
    NumberState(u32, &'static str),
    /// Parts of recordings, folded: no spaces, no punctuation, ASCII in lower case, simplified.
    Says(Rank, &'static [&'static str]),
}

/// How much a part of a recording tells. Of several parts the first rank wins, within it what is said first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// About the caller's own line: what follows is not about the called one.
    Own,
    /// A state of the called number or phone, the same at every call.
    Number,
    /// What became of this call.
    Call,
    /// What is done about it: voicemail, a note to the called party, a transfer that failed.
    Aside,
    /// That there was no connection, without a reason.
    Vague,
    /// To check the number, without a reason.
    Check,
    /// To dial again later, without a reason.
    Redial,
}

const fn row(key: Key, result: DialResult, source: &'static str) -> Row {
    Row { key, result, source }
}

/// All that is known, by kind of key. What is not here does not decide: Q.850 16, 31, 127 and 0, and of FreeSWITCH's names
/// `NONE`, `SUCCESS`, `NORMAL_CLEARING`, `NORMAL_UNSPECIFIED`, `INTERWORKING` and those of a transfer, a pick-up elsewhere or
/// an order of the dialer itself.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    // da2, an early-media tone and speech detector for FreeSWITCH: its list of number states.
    row(NumberState(2, "power off"), PoweredOff, "da2 2 关机"),
    row(NumberState(3, "does not exist"), InvalidNumber, "da2 3 空号"),
    row(NumberState(4, "out of service"), Suspended, "da2 4 停机"),
    row(NumberState(5, "hold on"), Busy, "da2 5 正在通话中"),
    row(NumberState(6, "not convenient"), Rejected, "da2 6 用户拒接"),
    row(NumberState(7, "is not reachable"), Unreachable, "da2 7 无法接通"),
    row(NumberState(8, "not in service"), Suspended, "da2 8 暂停服务"),
    row(NumberState(9, "busy now"), Busy, "da2 9 用户正忙"),
    row(NumberState(10, "not a local number"), InvalidNumber, "da2 10 拨号方式不正确"),
    row(NumberState(11, "barring of incoming"), Suspended, "da2 11 呼入限制"),
    row(NumberState(12, "call reminder"), NoAnswer, "da2 12 来电提醒"),
    row(NumberState(13, "forwarded"), Unreachable, "da2 13 呼叫转移失败"),
    row(NumberState(14, "line is busy"), Failed, "da2 14 网络忙"),
    row(NumberState(15, "not answer"), NoAnswer, "da2 15 无人接听"),
    row(NumberState(16, "defaulting"), Suspended, "da2 16 欠费"),
    row(NumberState(17, "cannot be connected"), Unreachable, "da2 17 无法接听"),
    row(NumberState(18, "number change"), InvalidNumber, "da2 18 改号"),
    row(NumberState(19, "line fault"), Failed, "da2 19 线路故障"),
    row(NumberState(20, "redial later"), NoAnswer, "da2 20 稍后再拨"),

    row(Q850(1), InvalidNumber, "ITU-T Q.850 table 1, cause 1 unallocated (unassigned) number"),
    row(Q850(17), Busy, "ITU-T Q.850 table 1, cause 17 user busy"),
    row(Q850(18), NoAnswer, "ITU-T Q.850 table 1, cause 18 no user responding"),
    row(Q850(19), NoAnswer, "ITU-T Q.850 table 1, cause 19 no answer from user (user alerted)"),
    row(Q850(20), Unreachable, "ITU-T Q.850 table 1, cause 20 subscriber absent"),
    row(Q850(21), Rejected, "ITU-T Q.850 table 1, cause 21 call rejected"),
    row(Q850(22), InvalidNumber, "ITU-T Q.850 table 1, cause 22 number changed"),
    row(Q850(27), Unreachable, "ITU-T Q.850 table 1, cause 27 destination out of order"),
    row(Q850(28), InvalidNumber, "ITU-T Q.850 table 1, cause 28 invalid number format (address incomplete)"),
    row(Q850(34), Failed, "ITU-T Q.850 table 1, cause 34 no circuit/channel available"),
    row(Q850(38), Failed, "ITU-T Q.850 table 1, cause 38 network out of order"),
    row(Q850(41), Failed, "ITU-T Q.850 table 1, cause 41 temporary failure"),
    row(Q850(42), Failed, "ITU-T Q.850 table 1, cause 42 switching equipment congestion"),

    row(Sip(404, 404), InvalidNumber, "RFC 3261 21.4.5, 404 Not Found"),
    row(Sip(408, 408), NoAnswer, "RFC 3261 21.4.9, 408 Request Timeout"),
    row(Sip(410, 410), InvalidNumber, "RFC 3261 21.4.10, 410 Gone"),
    row(Sip(480, 480), NoAnswer, "RFC 3261 21.4.18, 480 Temporarily Unavailable"),
    row(Sip(484, 484), InvalidNumber, "RFC 3261 21.4.22, 484 Address Incomplete"),
    row(Sip(486, 486), Busy, "RFC 3261 21.4.24, 486 Busy Here"),
    row(Sip(487, 487), NoAnswer, "RFC 3261 21.4.25, 487 Request Terminated"),
    row(Sip(500, 599), Failed, "RFC 3261 21.5, server failure 5xx"),
    row(Sip(600, 600), Busy, "RFC 3261 21.6.1, 600 Busy Everywhere"),
    row(Sip(603, 603), Rejected, "RFC 3261 21.6.2, 603 Decline"),
    row(Sip(604, 604), InvalidNumber, "RFC 3261 21.6.3, 604 Does Not Exist Anywhere"),

    row(Names(&[Cause::UnallocatedNumber, Cause::NumberChanged, Cause::InvalidNumberFormat]), InvalidNumber,
        "FreeSWITCH switch_cause_t 1, 22, 28, after Q.850"),
    row(Names(&[Cause::DoesNotExistAnywhere]), InvalidNumber, "FreeSWITCH switch_cause_t 817, its name of SIP 604"),
    row(Names(&[Cause::UserBusy]), Busy, "FreeSWITCH switch_cause_t 17, after Q.850"),
    row(Names(&[Cause::BusyEverywhere]), Busy, "FreeSWITCH switch_cause_t 815, its name of SIP 600"),
    row(Names(&[Cause::NoUserResponse, Cause::NoAnswer]), NoAnswer, "FreeSWITCH switch_cause_t 18, 19, after Q.850"),
    row(Names(&[Cause::OriginatorCancel]), NoAnswer, "FreeSWITCH switch_cause_t 487, its name of SIP 487"),
    row(Names(&[Cause::NoPickup]), NoAnswer, "FreeSWITCH switch_cause_t 812, rang and was not picked up"),
    row(Names(&[Cause::CallRejected]), Rejected, "FreeSWITCH switch_cause_t 21, after Q.850"),
    row(Names(&[Cause::Decline]), Rejected, "FreeSWITCH switch_cause_t 816, its name of SIP 603"),
    row(Names(&[Cause::Unwanted, Cause::RejectAll]), Rejected, "FreeSWITCH switch_cause_t 819 (RFC 8197, 607 Unwanted), 825"),
    row(Names(&[Cause::SubscriberAbsent, Cause::DestinationOutOfOrder]), Unreachable, "FreeSWITCH switch_cause_t 20, 27, after Q.850"),
    row(Names(&[Cause::NoRouteTransitNet, Cause::NoRouteDestination, Cause::ChannelUnacceptable, Cause::ExchangeRoutingError]), Failed,
        "FreeSWITCH switch_cause_t 2, 3, 6, 25, after Q.850: routing"),
    row(Names(&[Cause::NormalCircuitCongestion, Cause::NetworkOutOfOrder, Cause::NormalTemporaryFailure, Cause::SwitchCongestion,
        Cause::AccessInfoDiscarded, Cause::RequestedChanUnavail, Cause::PreEmpted]), Failed,
        "FreeSWITCH switch_cause_t 34–45, after Q.850: resource unavailable"),
    row(Names(&[Cause::FacilityRejected, Cause::FacilityNotSubscribed, Cause::OutgoingCallBarred, Cause::IncomingCallBarred,
        Cause::BearercapabilityNotauth, Cause::BearercapabilityNotavail, Cause::ServiceUnavailable]), Failed,
        "FreeSWITCH switch_cause_t 29, 50–63, after Q.850: service or option not available"),
    row(Names(&[Cause::BearercapabilityNotimpl, Cause::ChanNotImplemented, Cause::FacilityNotImplemented, Cause::ServiceNotImplemented]), Failed,
        "FreeSWITCH switch_cause_t 65–79, after Q.850: service or option not implemented"),
    row(Names(&[Cause::InvalidCallReference, Cause::IncompatibleDestination, Cause::InvalidMsgUnspecified, Cause::MandatoryIeMissing,
        Cause::MessageTypeNonexist, Cause::WrongMessage, Cause::IeNonexist, Cause::InvalidIeContents, Cause::WrongCallState,
        Cause::RecoveryOnTimerExpire, Cause::MandatoryIeLengthError, Cause::ProtocolError]), Failed,
        "FreeSWITCH switch_cause_t 81–111, after Q.850: invalid message, protocol error"),
    row(Names(&[Cause::Crash, Cause::SystemShutdown, Cause::UserChallenge, Cause::MediaTimeout, Cause::UserNotRegistered,
        Cause::ProgressTimeout, Cause::InvalidGateway, Cause::GatewayDown, Cause::InvalidUrl, Cause::InvalidProfile,
        Cause::SrtpReadError, Cause::NotAcceptable, Cause::NoIdentity, Cause::BadIdentityInfo, Cause::UnsupportedCertificate,
        Cause::InvalidIdentity, Cause::StaleDate]), Failed,
        "FreeSWITCH switch_cause_t 700–824, its own failures"),

    row(Says(Own, &["呼出限制", "限制呼出", "呼出受限", "呼出已受限", "禁止呼出", "无法呼出", "不能呼出", "呼出权限", "您未开通", "您没有开通", "您尚未开通",
        "您还未开通", "您无权", "您没有权限", "您无此", "您已欠费", "您欠费", "您已停机", "呼叫受限",
        "呼叫受到限制"]), Failed, "carrier recording, 呼出限制"),
    row(Says(Own, &["barringofoutgoing", "outgoingbarring", "outgoingcallbarr", "outgoingcallsbarr", "outgoingcallsarebarred", "outgoingcallisbarred",
        "outgoingcallsarerestrict", "outgoingcallrestrict", "restrictionofoutgoing", "callingrestrict", "notallowedtomake", "notallowedtocall", "notauthorizedtomake"]), Failed,
        "carrier recording, barring of outgoing calls"),

    row(Says(Number, &["关机", "未开机", "没有开机", "没开机", "手机已关闭", "电源已关闭"]), PoweredOff, "carrier recording, 关机 (台湾: 未開機)"),
    row(Says(Number, &["powerof", "poweredof", "poweringof", "switchedoff", "switchoff", "turnedoff", "turnoff", "powereddown",
        "powerdown", "shutdown"]), PoweredOff, "carrier recording, power off"),
    row(Says(Number, &["停机", "欠费", "暂停服务", "暂停使用", "暂停通话", "已暂停", "停止服务", "停止通话", "呼入限制", "呼入已限制", "限制呼入", "呼入受限", "互祝限制",
        "禁止呼入", "不能呼入", "无法呼入", "来电限制", "限制来电", "限制通话", "限制使用", "被限制", "保号", "已挂失", "已关停", "已封停", "被封停", "余额不足",
        "余额已不足", "余额用完"]), Suspended, "carrier recording, 停机, 欠费, 暂停服务, 呼入限制"),
    row(Says(Number, &["outofservice", "notinservice", "notintheservice", "suspended", "suspension", "suspend", "stopservice", "stoppedservice", "servicestopped",
        "serviceisstopped", "servicehasbeenstopped", "arrear", "defaulting", "overdue", "outofcredit", "temporarilydisconnected", "insufficientbalance", "balanceisinsufficient",
        "insufficientfund", "barringofincoming", "incomingbarring", "incomingcallbarr", "incomingcallsbarr", "incomingcallsarebarred",
        "incomingcallisbarred", "barredincoming", "barringincoming", "barredfromincoming", "incomingcallrestrict", "incomingcallsrestrict", "incomingcallisrestrict",
        "incomingcallsarerestrict", "incomingrestrict", "restrictionofincoming", "restrictedincoming", "barredfromreceiving"]), Suspended,
        "carrier recording, out of service, suspended, barring of incoming calls"),
    row(Says(Number, &["空号", "不存在", "未启用", "没有启用", "未被启用", "未使用", "没有使用", "未开通", "没有开通", "未放号", "未分配", "未激活", "未登记", "未注册", "关系已解除", "无法识别", "不能识别", "不能被识别", "已过期", "已经过期",
        "已失效", "已注销", "已销号", "已销户", "已拆机", "已拆除", "已作废", "已取消", "已撤销", "已停用", "停止使用", "号码有误", "号码错误", "号码有错", "号码不正确",
        "号码不对", "号码无效", "无效号码", "号码不完整", "号码不全", "位数不", "拨号有误", "拨号错误", "拨号不正确", "拨打有误", "拨号方式", "拨打方式", "拨叫方式",
        "不是本地", "外地手机", "前加0", "前加零", "前加拨", "加拨0", "加拨零", "不用加", "不必加", "不需加", "不需要加", "无需加", "无须加", "请勿加", "不要加",
        "请不加", "改号", "号码已改", "号码已更改", "号码已变更", "号码变更", "号码已更换", "更换号码", "更改号码", "变更号码", "新号码", "改为", "升位",
        "错误的号码"]), InvalidNumber, "carrier recording, 空号, 号码有误, 拨号方式不正确, 改号"),
    row(Says(Number, &["notexist", "nonexist", "doesntexist", "emptynumber", "vacantnumber", "numberisempty", "numberisvacant", "isavacant",
        "notinuse", "notinusing", "nolongerinuse", "notused", "notbeenused", "unallocated", "notallocated", "notbeenallocated", "unassigned",
        "notassigned", "notactivated", "notbeenactivated", "notregistered", "invalidnumber", "numberisinvalid", "dialedisinvalid", "notvalid",
        "expired", "wrongnumber", "numberiswrong", "dialediswrong", "incorrect", "notcorrect", "numberisnotright", "notalocalnumber",
        "islocalnumber", "isalocalnumber", "numberchange", "changednumber", "hasbeenchanged", "haschanged", "newnumber", "numberhasbeendisconnected", "dialedhasbeendisconnected",
        "calledhasbeendisconnected", "notrecognized", "notcomplete", "incomplete", "completedasdialed", "completedasdialled", "addzero", "adda0", "add0",
        "addazero", "withoutzero", "hasbeencancel"]), InvalidNumber,
        "carrier recording, does not exist, not in use, incorrect, number changed"),

    row(Says(Call, &["正在通话", "通话中", "与他人通话", "和他人通话", "另一通话", "正在使用电话", "正忙", "占线", "忙线", "用户忙", "用户很忙",
        "电话忙", "号码忙", "对方忙", "话中请稍后"]), Busy, "carrier recording, 正在通话中, 正忙, 占线"),
    row(Says(Call, &["busy", "onthephone", "isontheline", "istalking", "talkingnow", "anothercall", "anotherline", "anotherconversation", "inacall", "isoncall", "isonacall",
        "isincall", "engaged", "incommunication", "inconversation", "intalking", "callinprogress"]), Busy, "carrier recording, is busy now"),
    row(Says(Call, &["无人接", "没人接", "没有人接", "人接听请", "无人应答", "无人回应", "没人应答", "没有人应答", "无应答", "没有应答", "没有回应", "没有响应", "未应答",
        "未接听", "没有接听", "没接听", "久无"]), NoAnswer, "carrier recording, 无人接听, 无应答"),
    row(Says(Call, &["noanswer", "notanswer", "notbeanswer", "notbeenanswer", "doesntanswer", "nobodyanswer", "nobodytoanswer", "noonetoanswer", "nooneanswer",
        "nooneisanswer", "nobodyisanswer", "noonepick", "notpickup", "notpickingup", "unanswered", "noreply", "noresponse", "notrespond"]), NoAnswer,
        "carrier recording, there is no answer"),
    row(Says(Call, &["拒接", "拒绝", "不方便接", "不便接", "不方便通话", "用户已挂机", "用户挂机", "对方已挂机", "对方挂机", "已挂断", "用户挂断", "对方挂断", "免打扰", "防打扰",
        "勿扰", "防火墙", "已屏蔽", "被屏蔽", "被拦截", "黑名单"]), Rejected, "carrier recording, 拒接, 不方便接听"),
    row(Says(Call, &["notconvenient", "inconvenient", "notconvenience", "reject", "decline", "refuse", "donotdisturb", "notdisturb", "hungup"]), Rejected,
        "carrier recording, is not convenient to answer"),
    row(Says(Call, &["不在服务", "超出服务", "服务区外", "服务区以外", "不在网", "不在覆盖", "没有信号", "无信号", "收不到讯号", "收不到信号", "收不到讯息"]), Unreachable,
        "carrier recording, 不在服务区"),
    row(Says(Call, &["outofservicearea", "outoftheservicearea", "outofservicezone", "outsideservicearea", "outsidetheservicearea", "notinservicearea", "notintheservicearea",
        "notwithinservicearea", "notwithintheservicearea", "notintheservingarea", "notinservingarea", "outofservingarea", "servicearea", "outofcoverage",
        "outsidecoverage", "coveragearea", "outofreach", "outofrange", "nosignal"]), Unreachable, "carrier recording, out of the service area"),
    row(Says(Call, &["网络忙", "网络繁忙", "网络正忙", "网络拥", "网络故障", "网络异常", "网络出现", "系统忙", "系统繁忙", "系统正忙", "系统故障", "线路忙", "线路繁忙",
        "线路正忙", "线路全忙", "线路故障", "线路异常", "线路拥", "电路忙", "电路繁忙", "电路故障", "中继忙", "中继线忙", "设备故障", "设备忙", "通信故障", "通讯故障",
        "话务忙", "话务繁忙", "话务量"]), Failed, "carrier recording, 网络忙, 线路故障"),
    row(Says(Call, &["networkisbusy", "networkbusy", "networkisverybusy", "networkistoobusy", "networkiscurrentlybusy", "systembusy", "systemisbusy", "lineisbusy", "linebusy",
        "linesarebusy", "circuitbusy", "circuitisbusy", "circuitsarebusy", "circuitsarenowbusy", "trunkbusy", "trunkisbusy", "congest", "linefault",
        "faultontheline", "lineisfaulty", "lineisoutoforder", "networkfault", "networkfailure", "networkisoutoforder", "networkerror",
        "technicaldifficult"]), Failed, "carrier recording, network busy, line fault"),

    row(Says(Aside, &["语音信箱", "语音邮箱", "留言", "提示音后", "滴声后", "哔声后", "嘟声后", "嘀声后", "滴一声后", "嘟一声后", "声之后", "声响后"]), NoAnswer,
        "carrier recording, 语音信箱, 请留言"),
    row(Says(Aside, &["来电提醒", "来电通知", "来电信息", "短信通知", "短信提醒", "短信告知", "短信的形式", "短信形式", "短信方式", "短信的方式", "短信呼", "来电宝", "来电助手",
        "来电管家", "秘书", "漏话", "漏接", "未接来电", "通信助理", "通讯助理", "移动助理", "全时通", "全能呼", "通知机主", "转告机主", "告知机主", "通知对方",
        "通知被叫", "通知用户"]), NoAnswer, "carrier recording, 来电提醒"),
    row(Says(Aside, &["voicemail", "voicebox", "voicemessage", "mailbox", "leaveamessage", "leaveyourmessage", "leavemessage", "leaveusamessage", "afterthetone",
        "afterthebeep", "recordyourmessage", "callreminder", "missedcall", "secretary", "bymessage", "bysms", "viasms", "throughsms", "shortmessage",
        "textmessage", "beinformed", "benotified", "bereminded"]), NoAnswer, "carrier recording, voicemail, call reminder"),

    row(Says(Vague, &["转移失败", "转移未成功", "转移不成功", "转接失败", "转接未成功", "转接不成功", "无法转移", "无法转接", "不能转接", "转移无法"]), Unreachable,
        "carrier recording, 呼叫转移失败"),
    row(Says(Vague, &["forwardingfailed", "forwardfailed", "failedtoforward", "failedtobeforward", "transferfailed", "failedtotransfer", "notbeforwarded",
        "notbetransferred", "diversionfailed"]), Unreachable, "carrier recording, call forwarding failed"),
    row(Says(Vague, &["无法接", "法接通", "不能接通", "不能接听", "未能接", "不可接通", "接不通", "没有接通", "未接通", "无法连接", "无法连通", "不能连接", "无法联系",
        "无法联络", "联系不上", "无法呼通", "无法通话", "不通请", "不在线", "暂时无法", "暂时不能"]), Unreachable, "carrier recording, 无法接通, 无法接听"),
    row(Says(Vague, &["notbeconnect", "tbeconnect", "notconnect", "notbeenconnected", "unabletoconnect", "notbereach", "notreach", "cantreach", "tbereached", "unreachable",
        "notavailable", "unavailable", "notgetthrough", "notbeput", "notaccessible", "inaccessible", "notbeaccessed", "notbecompleted", "cannotanswer",
        "cantanswer", "unabletoanswer", "unabletotake", "notabletoanswer", "nottakeyourcall", "offline", "notonline"]), Unreachable,
        "carrier recording, cannot be connected for the moment"),
    row(Says(Vague, &["呼叫失败", "呼叫未成功", "callfailed"]), Failed, "carrier recording, 呼叫失败"),
    row(Says(Check, &["核对", "查证", "核实", "查对", "确认号码", "检查号码", "查询号码", "查号码"]), InvalidNumber, "da2, under 10 拨号方式不正确: 请核对后再拨"),
    row(Says(Check, &["checkthenumber", "checkyournumber", "checkit", "checknumber", "verifythenumber", "checkanddial", "checkandredial", "confirmthenumber"]),
        InvalidNumber, "carrier recording, please check the number"),
    row(Says(Redial, &["再拨", "后在拨", "后拨打", "后重拨", "再打", "再次拨打", "后再试", "稍后再", "再联系", "再联络"]), NoAnswer, "carrier recording, 请稍后再拨"),
    row(Says(Redial, &["redial", "dialagain", "dialitagain", "dialitlater", "diallater", "tryagain", "trylater", "callagain", "calllater", "callback", "againlater"]),
        NoAnswer, "carrier recording, please redial later"),
];
