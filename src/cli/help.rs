//! The help in Chinese.

use clap::Command;

use crate::config::Lang;

/// The language named in arguments that begin with `--lang`.
pub(super) fn asked_language(mut arguments: impl Iterator<Item = String>) -> Option<Lang> {
    let first = arguments.next()?;
    let name = match first.split_once('=') {
        Some((_, name)) => name.to_owned(),
        None => arguments.next()?,
    };
    <Lang as clap::ValueEnum>::from_str(&name, true).ok()
}

/// Subcommand path, argument id (empty: the command itself), its help.
const CHINESE: &[(&str, &str, &str)] = &[
    ("", "", "给电话机器人的通话评意向等级：输入通话事件，输出等级 A–F 和依据"),
    ("", "lang", "给人看的文字用哪种语言；不给时取自 LC_ALL、LC_MESSAGES 或 LANG"),
    ("classify", "", "批量评级录下的通话，每通一行结果"),
    ("explain", "", "给人看的一通通话：为什么是这个等级，为什么不是更高的"),
    ("eval", "", "读得准不准：和人工标注对照"),
    ("eval", "calls", "要衡量的通话录音文件，与 --gold 同用"),
    ("eval", "gold", "人工对这些通话的标注，每行一个 JSON 对象"),
    ("eval", "utterances", "单句客户话语和它的分类，每行一个 JSON 对象"),
    ("eval", "output", "输出格式"),
    ("eval", "set_aside", "留出这么大一份（0 到 1）另算，错处不显示"),
    ("eval", "show_set_aside", "留出部分的错处也显示"),
    ("eval", "macro_over", "宏平均 F1 算哪些分类，逗号分隔；不给则为文件用到的全部"),
    ("eval", "errors", "文本输出最多显示几处错"),
    ("eval", "format", "输入格式"),
    ("eval", "robot_party", "vCon 里哪一方是机器人：序号、姓名、电话或邮箱"),
    ("script", "", "检查、查看、测试话术"),
    ("script lint", "", "检查话术有没有错漏：文件、行、列，用 ^ 指出"),
    ("script show", "", "话术的流程、规则和词表"),
    ("script test", "", "跑话术自带的用例"),
    ("script train", "", "从例句里学：写出每个话术的 model.txt"),
    ("script train", "scripts", "话术文件夹（或其中一个），从它的例句里学"),
    ("script train", "check", "什么也不写；现有模型和例句对不上就失败"),
    ("script train", "which", "话术编号；不给则为有例句的全部"),
    ("serve", "", "在线评级服务：gRPC、gRPC-web、HTTP/JSON 同一端口"),
    ("push", "", "待推送的评级结果：查看发件箱，重发放弃了的"),
    ("push list", "", "发件箱里有什么：还要推送的结果，和放弃了的（死信）"),
    ("push list", "store", "通话存在哪里：数据目录，或 PostgreSQL 数据库的 URL"),
    ("push list", "tenant", "只看这个租户的"),
    ("push list", "dead", "只看放弃了的"),
    ("push list", "output", "输出格式"),
    ("push resend", "", "从头再试：放弃了的，或在等下一次重试的"),
    ("push resend", "store", "通话存在哪里：数据目录，或 PostgreSQL 数据库的 URL"),
    ("push resend", "tenant", "只重发这个租户的"),
    ("push resend", "all", "所有放弃了的"),
    ("push resend", "ids", "callgrade push list 显示的编号"),
    ("demo", "", "启动服务，把样例通话用真实的 gRPC 流式送进去"),
    ("classify", "format", "输入格式"),
    ("classify", "output", "输出格式"),
    ("classify", "files", "输入文件；- 为标准输入"),
    ("classify", "robot_party", "vCon 里哪一方是机器人：序号、姓名、电话或邮箱"),
    ("explain", "file", "通话所在的文件；- 为标准输入"),
    ("explain", "call_id", "哪一通"),
    ("explain", "format", "输入格式"),
    ("explain", "robot_party", "vCon 里哪一方是机器人：序号、姓名、电话或邮箱"),
    ("serve", "listen", "监听地址；端口 0 为任一空闲端口"),
    ("demo", "exit", "打印结果后退出，不留在前台"),
];

/// Help of arguments that several subcommands share.
const SHARED: &[(&str, &str)] = &[
    ("script", "没写话术的通话用哪个话术；ID@版本 同时固定该话术的版本"),
    ("scripts", "用这个文件夹里的话术，不用内置的"),
    ("max_utterance_bytes", "一句话最多多少字节"),
    ("max_call_events", "一通最多多少事件"),
    ("max_message_bytes", "一条消息最多多少字节"),
    ("max_line_bytes", "文件一行最多多少字节"),
];

/// Puts the help into the language.
pub(super) fn localise(command: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => command,
        Lang::Zh => chinese(command, ""),
    }
}

fn chinese(mut command: Command, path: &str) -> Command {
    for (_, id, help) in CHINESE.iter().filter(|(at, ..)| *at == path) {
        command = if id.is_empty() { command.about(*help) } else { command.mut_arg(*id, |arg| arg.help(*help)) };
    }
    let shared: Vec<&str> = command
        .get_arguments()
        .map(|arg| arg.get_id().as_str().to_owned())
        .filter_map(|id| SHARED.iter().find(|(known, _)| *known == id).map(|(known, _)| *known))
        .collect();
    for (id, help) in SHARED.iter().filter(|(id, _)| shared.contains(id)) {
        command = command.mut_arg(*id, |arg| arg.help(*help));
    }
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names.into_iter().filter(|name| name != "help") {
        let inner = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(&name, |sub| chinese(sub, &inner));
    }
    command
}
