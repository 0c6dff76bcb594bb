use super::*;
use DialResult::{Busy, Failed, InvalidNumber, NoAnswer, PoweredOff, Rejected, Suspended, Unreachable};

const RECORDINGS: &[(&str, DialResult)] = &[
    // 关机
    ("您拨打的用户已关机", PoweredOff),
    ("您好！您拨打的电话已关机，请稍后再拨。", PoweredOff),
    ("对不起，您拨打的电话已关机。Sorry, the subscriber you dialed is power off.", PoweredOff),
    ("Sorry, the subscriber you dialed is powered off, please redial later.", PoweredOff),
    ("the number you have dialed is switched off", PoweredOff),
    ("your call can not be connected, the phone is turned off", PoweredOff),
    ("您拨打的用户已关机或不在服务区，请稍后再拨", PoweredOff),
    ("您拨打的用户已关机，请在滴声后留言", PoweredOff),
    ("您拨打的电话已关机，系统已启用来电提醒功能，将以短信的形式通知机主", PoweredOff),
    ("您撥的電話未開機，請稍後再撥", PoweredOff),
    ("您撥打的電話已關機", PoweredOff),
    ("您 拨 打 的 用 户 已 关 机", PoweredOff),
    ("Ｓｏｒｒｙ，ｔｈｅ ｓｕｂｓｃｒｉｂｅｒ ｙｏｕ ｄｉａｌｅｄ ｉｓ ｐｏｗｅｒｅｄ ｏｆｆ", PoweredOff),
    ("打的用户已关机请稍", PoweredOff),
    ("您拨打的用户已关", PoweredOff),
    ("关机", PoweredOff),
    ("power off", PoweredOff),
    ("你拔打的用户已关机", PoweredOff),
    ("您拨打的用户暂时无法接通。The subscriber you dialed is powered off", PoweredOff),
    // 停机
    ("您好，您拨打的用户已停机", Suspended),
    ("您拨打的号码已停机。The number you dialed is out of service.", Suspended),
    ("对不起，您所拨打的电话已欠费停机", Suspended),
    ("您拨打的用户因欠费已停机", Suspended),
    ("您拨打的电话已欠费，暂时无法接通", Suspended),
    ("您拨打的号码已暂停服务", Suspended),
    ("您撥的號碼已暫停使用", Suspended),
    ("对不起，您拨打的用户已设置呼入限制。Sorry, the subscriber you dialed has set barring of incoming calls.", Suspended),
    ("Sorry, the subscriber you dialed has barring of incoming call service", Suspended),
    ("incoming calls are restricted for this number", Suspended),
    ("您拨打的用户已被限制呼入", Suspended),
    ("the subscriber you dialed has been temporarily suspended", Suspended),
    ("sorry the number you dialed is not in service", Suspended),
    ("您拨打的用户已办理停机保号业务", Suspended),
    ("您拨打的用户余额不足", Suspended),
    ("the subscriber you dialed is in arrears", Suspended),
    ("defaulting", Suspended),
    ("您拨打的电话已停", Suspended),
    ("欠费", Suspended),
    // 空号
    (
        "对不起，您拨打的号码是空号，请核对后再拨。Sorry, the number you dialed does not exist, please check it and dial later.",
        InvalidNumber,
    ),
    ("您所拨打的号码是空号", InvalidNumber),
    ("您好，您拨打的号码不存在，请核对后再拨", InvalidNumber),
    ("您拨打的号码未启用，请核实后再拨。The number you dialed is not in use, please check the number and dial again.", InvalidNumber),
    ("the number you have dialed is no longer in use", InvalidNumber),
    ("The number you dialed doesn’t exist", InvalidNumber),
    ("the number you dialed is invalid", InvalidNumber),
    ("the number you dialed is incorrect, please check and dial again", InvalidNumber),
    ("your call cannot be completed as dialed", InvalidNumber),
    ("您拨打的号码已过期", InvalidNumber),
    ("您拨打的号码有误，请查证后再拨", InvalidNumber),
    ("您拨打的号码已注销", InvalidNumber),
    ("对不起，您的拨号方式不正确，请在号码前加0", InvalidNumber),
    ("您拨打的是外地手机，请在号码前加拨零", InvalidNumber),
    ("您拨的是本地手机，请直接拨打，不用加零", InvalidNumber),
    ("您拨打的用户已改号，新号码是13800000000", InvalidNumber),
    ("您拨打的号码已变更，号码已变更为", InvalidNumber),
    ("the number you dialed has been changed", InvalidNumber),
    ("not a local number", InvalidNumber),
    ("number change", InvalidNumber),
    ("您拨打的号码是空", InvalidNumber),
    ("请核对后再拨", InvalidNumber),
    ("您撥打的號碼是空號，請查明後再撥", InvalidNumber),
    // 忙
    ("您拨打的电话正在通话中，请稍后再拨。", Busy),
    ("您拨打的用户正在通话中，请不要挂机", Busy),
    ("您拨叫的用户正忙，请稍后再拨", Busy),
    ("对不起，您拨打的用户正忙。Sorry, the subscriber you dialed is busy now, please redial later.", Busy),
    ("sorry the number you have died is busy", Busy),
    ("您拨打的电话占线", Busy),
    ("您撥的電話忙線中", Busy),
    ("Sorry, the subscriber you dialed is on the phone, please hold on", Busy),
    ("the subscriber you are calling is in a call", Busy),
    ("hold on", Busy),
    ("busy now", Busy),
    ("您拨打的用户正忙，暂时无法接听您的电话", Busy),
    ("您拨打的用户正在通话中，请在提示音后留言", Busy),
    ("您拨打的电话正在通", Busy),
    // 无人接听
    ("对不起，您拨打的电话暂时无人接听，请稍后再拨。Sorry, there is no answer for the moment, please redial later.", NoAnswer),
    ("您拨叫的用户暂时无人接听", NoAnswer),
    ("您好，您所拨打的电话无人应答", NoAnswer),
    ("您撥的電話無人回應", NoAnswer),
    ("The subscriber you dialed does not answer, please redial later", NoAnswer),
    ("the subscriber you dialed is no answer", NoAnswer),
    ("您拨打的电话暂时无人接听。The number you dialed can't be connected for the moment, please redial later", NoAnswer),
    ("您拨打的用户暂时无法接听您的电话，请在滴声后留言", NoAnswer),
    ("您的电话将转接到语音信箱，嘟声后开始计费", NoAnswer),
    ("the call has been forwarded to voicemail", NoAnswer),
    ("please leave a message after the tone", NoAnswer),
    ("您拨打的用户已启用短信呼服务，来电信息将以短信的形式通知机主", NoAnswer),
    ("call reminder", NoAnswer),
    ("该用户已启用来电提醒", NoAnswer),
    ("请稍后再拨", NoAnswer),
    ("对不起，请您稍候再拨", NoAnswer),
    ("Please redial later.", NoAnswer),
    ("您拨打的电话暂时无人", NoAnswer),
    // 拒接
    ("您拨打的用户拒绝接听您的来电", Rejected),
    ("对不起，您拨打的用户暂时不方便接听您的电话，请稍后再拨", Rejected),
    ("用户已挂机", Rejected),
    ("Sorry, the subscriber you dialed is not convenient to answer your call", Rejected),
    ("用户拒接", Rejected),
    ("您拨打的用户已开启免打扰", Rejected),
    // 无法接通
    ("您拨打的电话暂时无法接通，请稍后再拨。The number you dialed can not be connected for the moment.", Unreachable),
    ("Sorry, the subscriber you dialed cannot be connected for the moment, please redial later", Unreachable),
    ("your call can’t be connected", Unreachable),
    ("the subscriber you dialed is not available now", Unreachable),
    ("is not reachable", Unreachable),
    ("您拨打的用户不在服务区，请稍后再拨", Unreachable),
    ("您拨打的电话不在服务区。The number you dialed is not in service", Unreachable),
    ("the subscriber you dialed is out of the service area", Unreachable),
    ("the subscriber you dialed is not in the service area", Unreachable),
    ("您拨打的电话暂时无法接听", Unreachable),
    ("您拨打的电话呼叫转移失败", Unreachable),
    ("forwarded", Unreachable),
    ("call forwarding failed", Unreachable),
    ("您拨打的用户暂时无法", Unreachable),
    ("您撥的電話暫時無法接通，請稍後再撥", Unreachable),
    // 网络, 主叫
    ("对不起，网络忙，请稍后再拨", Failed),
    ("网络正忙，请稍后再试", Failed),
    ("网络繁忙，您拨打的电话暂时无法接通", Failed),
    ("线路故障，无法接通", Failed),
    ("Sorry, the network is busy now, please redial later", Failed),
    ("all circuits are busy now", Failed),
    ("line fault", Failed),
    ("您的电话已欠费停机，请您续交话费", Failed),
    ("您好，您的电话因未及时缴费已被暂停服务。Your phone has been suspended.", Failed),
    ("本机已欠费", Failed),
    ("本机号码已停机", Failed),
    ("因主叫用户欠费，您的呼叫无法接通", Failed),
    ("您的账户余额不足，请充值", Failed),
    ("您的帳戶餘額不足", Failed),
    ("your call can not be made because of insufficient balance", Failed),
    ("您已被设置呼出限制", Failed),
    ("Sorry, barring of outgoing calls is active", Failed),
    ("您未开通国际长途业务", Failed),
    ("您的呼叫受限，详情请咨询10086", Failed),
    ("呼叫失败，请稍后再拨", Failed),
    // 转接: by what follows
    ("您拨打的电话正在为您转接，请稍候。您拨打的用户已关机", PoweredOff),
    ("您拨打的用户正忙，正在为您转接，对不起，您拨打的电话暂时无人接听", NoAnswer),
    ("您的呼叫正在转移，呼叫转移，您拨打的用户暂时无法接通", Unreachable),
    ("您拨打的用户已关机，您的来电将转接至语音信箱", PoweredOff),
];

#[test]
fn recordings_are_understood() {
    let wrong: Vec<_> = RECORDINGS.iter().filter(|(text, result)| announcement(text) != Some(*result)).collect();
    let wrong: Vec<_> = wrong.iter().map(|(text, result)| (text, result, announcement(text))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(RECORDINGS.len() >= 80);
}

#[test]
fn what_tells_nothing_decides_nothing() {
    for text in [
        "",
        " ，。",
        "您好",
        "嘟嘟嘟",
        "彩铃音乐",
        "您拨打的电话正在为您转接，请稍候",
        "该用户已设置呼叫转移",
        "请不要挂机，正在接通中",
        "您通话的客户正在使用呼叫保持服务，请不要挂机",
        "the subscriber you dialed is using call holding service, please hold on",
        "your call is being transferred, please wait",
        "您拨打的用户",
        "the subscriber you dialed",
        "关机提醒业务",
    ] {
        assert_eq!(announcement(text), None, "{text}");
    }
}

#[test]
fn every_number_state() {
    let expected = [
        (2, PoweredOff),
        (3, InvalidNumber),
        (4, Suspended),
        (5, Busy),
        (6, Rejected),
        (7, Unreachable),
        (8, Suspended),
        (9, Busy),
        (10, InvalidNumber),
        (11, Suspended),
        (12, NoAnswer),
        (13, Unreachable),
        (14, Failed),
        (15, NoAnswer),
        (16, Suspended),
        (17, Unreachable),
        (18, InvalidNumber),
        (19, Failed),
        (20, NoAnswer),
    ];
    for state in 0..40 {
        let wanted = expected.iter().find(|(number, _)| *number == state).map(|(_, result)| *result);
        assert_eq!(number_state(state), wanted, "{state}");
    }
    // Its English name, as an announcement, says the same.
    for row in TABLE {
        if let Key::NumberState(state, alias) = row.key {
            assert_eq!(announcement(alias), number_state(state), "{alias}");
        }
    }
}

#[test]
fn every_code() {
    let q850_expected: &[(&[u32], DialResult)] = &[
        (&[1, 22, 28], InvalidNumber),
        (&[17], Busy),
        (&[18, 19], NoAnswer),
        (&[21], Rejected),
        (&[20, 27], Unreachable),
        (&[34, 38, 41, 42], Failed),
    ];
    for cause in 0..200 {
        let wanted = q850_expected.iter().find(|(causes, _)| causes.contains(&cause)).map(|(_, result)| *result);
        assert_eq!(q850(cause), wanted, "{cause}");
    }
    let sip_expected: &[(&[u32], DialResult)] =
        &[(&[404, 410, 484, 604], InvalidNumber), (&[486, 600], Busy), (&[408, 480, 487], NoAnswer), (&[603], Rejected)];
    for code in 0..800 {
        let listed = sip_expected.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, result)| *result);
        let wanted = listed.or((500..600).contains(&code).then_some(Failed));
        assert_eq!(sip(code), wanted, "{code}");
    }
}

#[test]
fn every_name() {
    for (names, result) in [
        ("UNALLOCATED_NUMBER NUMBER_CHANGED INVALID_NUMBER_FORMAT DOES_NOT_EXIST_ANYWHERE 1 22 28", Some(InvalidNumber)),
        ("USER_BUSY user_busy User_Busy user-busy BUSY_EVERYWHERE 17", Some(Busy)),
        ("NO_ANSWER NO_USER_RESPONSE ORIGINATOR_CANCEL NO_PICKUP 18 19 487", Some(NoAnswer)),
        ("CALL_REJECTED DECLINE UNWANTED REJECT_ALL 21", Some(Rejected)),
        ("SUBSCRIBER_ABSENT DESTINATION_OUT_OF_ORDER 20 27", Some(Unreachable)),
        ("NORMAL_CIRCUIT_CONGESTION NETWORK_OUT_OF_ORDER NORMAL_TEMPORARY_FAILURE SWITCH_CONGESTION NO_ROUTE_DESTINATION", Some(Failed)),
        ("EXCHANGE_ROUTING_ERROR REQUESTED_CHAN_UNAVAIL OUTGOING_CALL_BARRED GATEWAY_DOWN PROGRESS_TIMEOUT 38 809", Some(Failed)),
        ("NORMAL_CLEARING NORMAL_UNSPECIFIED INTERWORKING SUCCESS NONE 0 16 31 127 142", None),
        ("ATTENDED_TRANSFER LOSE_RACE PICKED_OFF MANAGER_REQUEST NOT_A_CAUSE 99999 -1 忙", None),
    ] {
        for name in names.split(' ') {
            assert_eq!(hangup_cause(name), result, "{name}");
        }
    }
    assert_eq!(hangup_cause(" USER_BUSY\n"), Some(Busy));
    assert_eq!(hangup_cause("user busy"), Some(Busy));
    assert_eq!(hangup_cause(""), None);
}

#[test]
fn the_first_that_decides() {
    let full = DialReport {
        result: Some(Busy),
        sip_code: 404,
        q850_cause: 21,
        hangup_cause: "SUBSCRIBER_ABSENT".into(),
        announcement: "您拨打的用户已关机".into(),
        number_state: 4,
    };
    let decision = |report: &DialReport| {
        let Decision { result, by } = dial_result(report);
        (result, by, by.as_str())
    };
    let mut report = full;
    assert_eq!(decision(&report), (PoweredOff, Field::Announcement, "announcement"));
    report.announcement = "嘟嘟".into();
    assert_eq!(decision(&report), (Suspended, Field::NumberState, "number_state"));
    report.number_state = 1;
    assert_eq!(decision(&report), (Busy, Field::Result, "result"));
    report.result = None;
    assert_eq!(decision(&report), (Unreachable, Field::HangupCause, "hangup_cause"));
    report.hangup_cause = "NORMAL_CLEARING".into();
    assert_eq!(decision(&report), (Rejected, Field::Q850Cause, "q850_cause"));
    report.q850_cause = 31;
    assert_eq!(decision(&report), (InvalidNumber, Field::SipCode, "sip_code"));
    report.sip_code = 200;
    assert_eq!(decision(&report), (Failed, Field::Nothing, "nothing"));
    assert_eq!(decision(&DialReport::default()), (Failed, Field::Nothing, "nothing"));
}

#[test]
fn a_carrier_after_a_false_answer() {
    for (text, result) in [
        ("您好，您拨打的用户已关机，请稍后再拨", PoweredOff),
        ("您拨打的电话正在通话中", Busy),
        ("对不起，您所拨打的号码是空号，请核对后再拨", InvalidNumber),
        ("您拨叫的用户正忙，请稍后再拨", Busy),
        ("您呼叫的用户暂时无人接听", NoAnswer),
        ("拨打的电话暂时无法接通", Unreachable),
        ("对不起，号码不存在", InvalidNumber),
        ("对不起，该用户已停机", Suspended),
        ("对不起，您的电话已欠费停机", Failed),
        ("对不起，网络忙，请稍后再拨", Failed),
        ("您拨打的是空号，请查证", InvalidNumber),
        ("Sorry, the subscriber you dialed is busy now", Busy),
        ("the number you have dialed does not exist", InvalidNumber),
        ("the subscriber that you called is not available", Unreachable),
        ("您撥打的用戶已關機", PoweredOff),
        ("您拨打的用户暂时无人接听，来电信息将以短信的形式通知机主", NoAnswer),
    ] {
        assert_eq!(carrier_announcement(text), Some(result), "{text}");
    }
}

#[test]
fn people_and_machines_are_no_carriers() {
    for text in [
        "我手机快关机了",
        "他正忙着呢",
        "你打的是空号吧",
        "我正忙，请稍后再拨",
        "现在正忙，稍后再打",
        "对不起我正在通话中",
        "对不起，现在不方便接听",
        "你拨打的号码有误吧",
        "您拨打的电话打错了，号码有误",
        "您拨打的是李总办公室电话，他不方便接听",
        "我的电话已经停机",
        "这个号码停机了",
        "他手机关机，你晚点再打",
        "手机欠费停机了",
        "你好，电话占线",
        "网络忙",
        "暂停服务",
        "您拨打的用户正忙，请在提示音后留言",
        "您拨打的电话已转至语音信箱",
        "您拨打的用户暂时无法接听，我是机主的语音助手",
        "欢迎致电某某公司，您拨打的分机号码不存在",
        "您好，[用户姓名]先生，需要核实号码",
        "您拨打的电话是李总的，他正忙",
        "您拨打的电话是官方热线，请核实",
        "您拨打的分机正忙，请稍后再拨",
        "您拨打的用户已关机，喂，哪位",
        "the number is busy",
        "I am busy now, call later",
        "please leave a message, the subscriber you dialed is not available",
        "您拨打的电话正在为您转接",
        "您好",
        "",
    ] {
        assert_eq!(carrier_announcement(text), None, "{text}");
    }
}

#[test]
fn every_row_has_a_source_and_every_phrase_is_folded() {
    let mut phrases = std::collections::BTreeMap::new();
    for row in TABLE {
        assert!(!row.source.is_empty());
        if let Key::Says(_, list) = row.key {
            for phrase in list {
                assert!(phrase.chars().all(|c| c.is_alphanumeric() && !c.is_uppercase()), "{phrase}");
                assert_eq!(phrases.insert(phrase, row.result), None, "{phrase} stands twice");
                assert!(announcement(phrase).is_some(), "{phrase}");
            }
        }
    }
}

#[test]
fn long_and_strange_text_is_read_in_time() {
    for piece in ["正忙", "您的电话", "转接到", "a", "拨打的", "您", "🦀", "ß", "youdial"] {
        let text = piece.repeat(16384 / piece.len());
        let started = std::time::Instant::now();
        let _ = (announcement(&text), carrier_announcement(&text));
        assert!(started.elapsed().as_secs() < 10, "{piece}: {:?}", started.elapsed());
    }
}
