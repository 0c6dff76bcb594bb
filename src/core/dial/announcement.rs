//! What a network's recorded voice says, in Chinese, in English or both, whole or cut off.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::event::DialResult;
use super::table::{Key, Rank, TABLE};

/// What a recording heard while dialing means; `None`: it tells nothing.
///
/// Of several statements the more specific one counts, a Chinese one before an English one (its translations are loose), then the
/// first said. What concerns the caller's own line is [`DialResult::Failed`]. After 呼叫转移 or 正在为您转接 what follows counts.
#[must_use]
pub fn announcement(text: &str) -> Option<DialResult> {
    decide(&fold(text))
}

/// What words from the far side mean that came **after** the call was answered: something only if they are unmistakably a
/// carrier's recording, for people speak of 关机 and 空号 too. A voicemail or a phone's assistant is no such recording.
#[must_use]
pub fn carrier_announcement(text: &str) -> Option<DialResult> {
    if speaks_of_itself(text) || !may_be_recording(text) {
        return None;
    }
    let said = fold(text);
    if !is_recording(&said) || MACHINE.iter().any(|word| said.contains(word)) || is_human(&said) {
        return None;
    }
    // 请核对 alone is a person's word as well.
    let only_check = statement(&said).is_some_and(|(place, _)| place == place_of(Rank::Check, false));
    if only_check { None } else { decide(&said) }
}

/// What a folded character says for a recording: two bits, both of which every recording has together. The cheapest look of all.
pub(crate) fn recorded(folded: char) -> u8 {
    match folded {
        '拨' | '呼' | 'd' | 'c' => 3,
        '起' | '歉' | '您' | 'r' => 1,
        '话' | '码' | '户' | '机' | 'm' | 'b' => 2,
        _ => 0,
    }
}

/// Whether the text has what every recording has: a cheap look before the thorough one.
fn may_be_recording(text: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    has(&["拨", "撥", "呼叫", "dial", "Dial", "died", "call", "Call"])
        || has(&["对不起", "對不起", "抱歉", "您好", "orry"])
            && has(&["电话", "電話", "号码", "號碼", "用户", "用戶", "本机", "本機", "手机", "手機", "umber", "ubscriber"])
}

/// A number or phone that was called, as recordings name it.
#[rustfmt::skip]
const CALLED: &[&str] = &[
    "拨打的", "拨打电话", "拨叫的", "拨的", "您呼叫的", "所呼叫的", "被叫", "该用户", "该号码", "此号码", "机主", "对方", "youdial",
    "youhavedial", "subscriber",
];
/// What recordings call with: 您拨打的电话, 您呼叫的用户.
#[rustfmt::skip]
const DIALED: &[&str] = &[
    "您拨打的", "您所拨打的", "您要拨打的", "您正在拨打的", "您拨叫的", "您所拨叫的", "您呼叫的", "您所呼叫的", "您所拨的",
    "您拨的",
];
/// The same with its beginning cut off.
#[rustfmt::skip]
const DIALED_CUT: &[&str] = &["拨打的用户", "拨打的电话", "拨打的号码", "拨叫的用户", "拨叫的号码", "拨叫的电话", "呼叫的用户"];
/// What was called, close after [`DIALED`].
#[rustfmt::skip]
const WHOM: &[&str] = &["用户", "电话", "号码", "手机", "机主", "客户", "固话", "座机", "号"];
/// English for both; `died` is how recognisers hear "dialed".
#[rustfmt::skip]
const DIALED_ENGLISH: &[&str] = &[
    "youdial", "youaredialing", "youaredialling", "youhavedial", "youvedial", "youhavejustdial", "youcall", "youarecalling",
    "youhavecall", "youdied", "youhavedied", "thatyoudial",
];
#[rustfmt::skip]
const WHOM_ENGLISH: &[&str] = &["number", "subscriber", "user", "customer", "phone", "mobile", "party", "line", "person"];
/// How recordings begin, and what follows at once where they do not say that it was dialed.
#[rustfmt::skip]
const SORRY: &[&str] = &["对不起", "抱歉", "您好", "sorry"];
#[rustfmt::skip]
const SORRY_WHOM: &[&str] = &[
    "用户已", "用户正", "用户暂", "用户不", "用户忙", "用户无", "号码不", "号码是", "号码有", "号码已", "号码未", "该用户",
    "该号码", "此号码", "此用户", "被叫", "本号码", "您的电话", "您的手机", "您的号码", "您的账户", "您已欠费", "您已停机",
    "您的余额", "因主叫", "主叫", "由于主叫", "网络忙", "网络繁忙", "网络故障", "线路忙", "线路繁忙", "线路故障", "电路忙",
    "thenetworkis", "thesubscriber", "thenumberis",
];
/// Words of voicemail boxes, assistants and switchboards.
#[rustfmt::skip]
const MACHINE: &[&str] = &[
    "欢迎致电", "总机", "分机", "转人工", "留言", "信箱", "语音邮箱", "提示音后", "滴声后", "哔声后", "嘟声后", "助手", "智能助理",
    "voicemail", "mailbox", "leaveamessage", "leaveyourmessage", "leavemessage", "afterthetone", "afterthebeep",
];
/// What people say and recordings do not.
#[rustfmt::skip]
const HUMAN: &[&str] = &["打错", "怎么", "什么", "是不是", "干嘛", "咋", "啥", "谁", "喂"];
/// How people end a sentence.
const PARTICLES: &[char] = &['了', '吧', '吗', '呢', '啊', '呀', '嘛', '哦', '啦', '哈', '么', '噢', '喔', '诶'];
/// The caller's own line, and what can be wrong with it shortly after.
#[rustfmt::skip]
const OWN: &[&str] = &[
    "您的电话", "您的手机", "您的号码", "您的账户", "您的账号", "您的话费", "您的余额", "您的固话", "您的座机", "您的线路",
    "您的卡", "您的sim", "您的通话", "您电话", "您手机", "您账户", "您话费", "您当前", "您已", "您因", "您由于", "本机", "主叫",
    "yourphone", "yourtelephone", "yourmobile", "yournumber", "youraccount", "yourbalance", "yourservice", "yourline", "yourcredit",
    "callingparty", "callingnumber", "callingsubscriber", "thecaller", "youarein", "youhaveinsufficient", "youhavenobalance",
];
#[rustfmt::skip]
const OWN_STATES: &[&str] = &[
    "欠费", "停机", "余额", "不足", "用完", "暂停服务", "暂停使用", "停止服务", "被限制", "受限", "限制", "呼出", "未开通",
    "没有开通", "权限", "过期", "有效期", "未实名", "实名", "锁", "outofservice", "notinservice", "suspend", "arrear",
    "insufficient", "notenough", "notsufficient", "defaulting", "overdue", "barr", "restrict", "expire", "toolow", "runout",
    "usedup",
];
/// Where talk of the caller's own line gives way to that of another.
#[rustfmt::skip]
const OWN_ENDS: &[&str] = &["用户", "机主", "对方", "拨打", "拨叫", "被叫", "转接", "subscriber", "youdial", "youhavedial"];
/// A balance is the caller's unless someone called is named.
#[rustfmt::skip]
const BALANCE: &[&str] = &["余额不足", "余额已不足", "余额用完", "insufficientbalance", "balanceisinsufficient", "insufficientfund"];
/// Longer phrases in which one of the table's says nothing.
#[rustfmt::skip]
const NOT_SAID: &[&str] = &[
    "关机提醒", "停机提醒", "开关机", "呼叫保持", "holdingservice", "未欠费", "未停机", "通话中断", "通话中止", "通话中将",
    "通话中会", "通话中可能",
];
/// Where a transfer is announced.
#[rustfmt::skip]
const TRANSFER: &[&str] = &[
    "呼叫转移", "来电转移", "呼叫前转", "为您转接", "为您接转", "正在转接", "转接中", "转移至", "转移到", "转接至", "转接到",
    "forwarded", "transferred", "diverted",
];
/// Last words of a recording cut off in the middle of one.
const CUT: &[(&str, DialResult)] = &[
    ("已关", DialResult::PoweredOff),
    ("ispower", DialResult::PoweredOff),
    ("isswitched", DialResult::PoweredOff),
    ("已停", DialResult::Suspended),
    ("暂停", DialResult::Suspended),
    ("暂停服", DialResult::Suspended),
    ("呼入限", DialResult::Suspended),
    ("是空", DialResult::InvalidNumber),
    ("不存", DialResult::InvalidNumber),
    ("号码有", DialResult::InvalidNumber),
    ("doesnotex", DialResult::InvalidNumber),
    ("正在通", DialResult::Busy),
    ("暂时无人", DialResult::NoAnswer),
    ("不在服", DialResult::Unreachable),
    ("暂时无", DialResult::Unreachable),
];

/// Simplified for traditional, right for commonly mistaken or misheard: character by character.
const CHARS: (&str, &str) = (
    "撥拔播機關號碼電話戶務無應聽綫線網絡佔轉暫時過啟啓開設費錯誤這區語訊請後候對錄變動還進來為爲與個餘額帳帐賬檢續繳廣壞認確證辦結將給沒報喚傳註銷訂聯繫處於態滿週復複訪範圍當內擾絕掛斷虛實騷攔單讓係閉嚮幾嗶妳你",
    "拨拨拨机关号码电话户务无应听线线网络占转暂时过启启开设费错误这区语讯请后后对录变动还进来为为与个余额账账账检续缴广坏认确证办结将给没报唤传注销订联系处于态满周复复访范围当内扰绝挂断虚实骚拦单让系闭向几哔您您",
);

/// Letters, digits and Han characters alone, half width, lower case, simplified.
fn fold(text: &str) -> String {
    let half = |c: char| char::from_u32(u32::from(c).wrapping_sub(0xFEE0)).filter(|_| ('！'..='～').contains(&c)).unwrap_or(c);
    let simple = |c: char| CHARS.0.chars().zip(CHARS.1.chars()).find_map(|(from, to)| (from == c).then_some(to)).unwrap_or(c);
    text.chars().map(half).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).map(simple).collect()
}

fn decide(said: &str) -> Option<DialResult> {
    if let Some(alias) = whole_alias(said) {
        return Some(alias);
    }
    if own_line(said) {
        return Some(DialResult::Failed);
    }
    let after = TRANSFER.iter().filter_map(|word| said.rfind(word)).max().and_then(|at| said.get(at..));
    let follows = after.and_then(statement).filter(|(place, _)| *place < place_of(Rank::Aside, false));
    follows.or_else(|| statement(said)).map(|(_, result)| result).or_else(|| cut_off(said))
}

/// A whole announcement that is but a number state's English name.
fn whole_alias(said: &str) -> Option<DialResult> {
    TABLE.iter().find_map(|row| match row.key {
        Key::NumberState(_, alias) if alias.split(' ').try_fold(said, |rest, word| rest.strip_prefix(word)) == Some("") => Some(row.result),
        _ => None,
    })
}

/// The most telling statement, with its place: the smaller, the more telling.
fn statement(said: &str) -> Option<(u8, DialResult)> {
    let mut best: Option<(u8, DialResult)> = None;
    let mut covered = 0;
    for (at, _) in said.char_indices() {
        let rest = said.get(at..).unwrap_or_default();
        let Some((length, meaning)) = phrase_at(rest) else { continue };
        // A phrase inside a longer one has been spoken for.
        if at + length <= covered {
            continue;
        }
        covered = at + length;
        best = match (best, meaning) {
            (Some(old), Some(new)) if new.0 < old.0 => Some(new),
            (None, new) => new,
            (old, _) => old,
        };
    }
    best
}

type Meaning = Option<(u8, DialResult)>;

/// The phrases by their first character: of the table's what they mean, of [`NOT_SAID`] nothing.
static PHRASES: LazyLock<HashMap<char, Vec<(&str, Meaning)>>> = LazyLock::new(|| {
    let mut phrases: HashMap<char, Vec<(&str, Meaning)>> = HashMap::new();
    let mut add =
        |phrase: &'static str, meaning| phrases.entry(phrase.chars().next().unwrap_or_default()).or_default().push((phrase, meaning));
    for row in TABLE {
        if let Key::Says(rank, list) = row.key {
            list.iter().for_each(|phrase| add(phrase, Some((place_of(rank, phrase.is_ascii()), row.result))));
        }
    }
    NOT_SAID.iter().for_each(|phrase| add(phrase, None));
    phrases
});

/// The longest phrase that the text begins with, its length and meaning.
fn phrase_at(rest: &str) -> Option<(usize, Meaning)> {
    let phrases = PHRASES.get(&rest.chars().next()?)?;
    phrases
        .iter()
        .filter(|(phrase, _)| rest.starts_with(phrase))
        .map(|(phrase, meaning)| (phrase.len(), *meaning))
        .max_by_key(|(length, _)| *length)
}

/// Chinese statements of fact come first, then English ones, then what tells less in either.
fn place_of(rank: Rank, english: bool) -> u8 {
    rank as u8 + if rank >= Rank::Aside || english { Rank::Aside as u8 } else { 0 }
}

/// Whether the recording concerns the caller's own line.
fn own_line(said: &str) -> bool {
    let named = CALLED.iter().any(|word| said.contains(word));
    if !named && BALANCE.iter().any(|word| said.contains(word)) {
        return true;
    }
    OWN.iter().any(|subject| said.match_indices(subject).any(|(at, _)| own_state_follows(said, at, subject)))
}

fn own_state_follows(said: &str, at: usize, subject: &str) -> bool {
    let before = said.get(..at).unwrap_or_default();
    if ["接听", "接通", "接", "将"].iter().any(|word| before.ends_with(word)) {
        return false;
    }
    let rest = said.get(at..).and_then(|rest| rest.strip_prefix(subject)).unwrap_or_default();
    let reach = if subject.is_ascii() { 32 } else { 10 };
    let near = rest.char_indices().nth(reach).and_then(|(end, _)| rest.get(..end)).unwrap_or(rest);
    // 因主叫用户欠费: the subject may be a compound.
    let near = near.strip_prefix("用户").unwrap_or(near);
    let end = OWN_ENDS.iter().filter_map(|word| near.find(word)).min().unwrap_or(near.len());
    let near = near.get(..end).unwrap_or(near);
    OWN_STATES.iter().any(|state| near.contains(state))
}

/// A recording of a called number that breaks off before its point.
fn cut_off(said: &str) -> Option<DialResult> {
    let named = CALLED.iter().any(|word| said.contains(word));
    CUT.iter().find(|(tail, _)| named && said.ends_with(tail)).map(|(_, result)| *result)
}

/// Whether only a carrier's recording talks like this.
fn is_recording(said: &str) -> bool {
    let close = |after: &str, words: &[&str], reach: usize| {
        let near: String = after.chars().take(reach).collect();
        words.iter().any(|word| near.contains(word))
    };
    let after = |word: &str| said.find(word).and_then(|at| said.get(at + word.len()..));
    let chinese = DIALED_CUT.iter().any(|words| said.contains(words))
        || DIALED.iter().any(|words| after(words).is_some_and(|rest| close(rest, WHOM, 8)));
    let english = || {
        DIALED_ENGLISH.iter().filter_map(|words| said.find(words)).any(|at| {
            let before = said.get(..at).unwrap_or_default();
            let before = before.strip_suffix("that").or_else(|| before.strip_suffix("which")).unwrap_or(before);
            WHOM_ENGLISH.iter().any(|whom| before.ends_with(whom) || before.ends_with(&format!("{whom}s")))
        })
    };
    let sorry = || SORRY.iter().any(|word| after(word).is_some_and(|rest| SORRY_WHOM.iter().any(|whom| rest.starts_with(whom))));
    chinese || english() || sorry()
}

/// 我, but no company's 我们 or 我司: no recording says it.
fn speaks_of_itself(text: &str) -> bool {
    text.match_indices('我').any(|(at, word)| {
        let rest = text.get(at + word.len()..).unwrap_or_default();
        !matches!(rest.chars().find(|c| c.is_alphanumeric()), Some('们' | '司'))
    })
}

/// Whether a person speaks: 我, a question, a particle at the end, what is dialed explained.
fn is_human(said: &str) -> bool {
    // A secretary's 您拨打的是公司电话, not 您拨打的是空号.
    let names_it = ["拨打的是", "拨打的电话是", "拨打的号码是"].iter().any(|words| said.contains(words))
        && !["空号", "本地", "外地", "无效"].iter().any(|word| said.contains(word));
    names_it || said.ends_with(PARTICLES) || HUMAN.iter().any(|word| said.contains(word))
}
