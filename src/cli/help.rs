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
    ("script", "", "检查、查看、测试、发布话术"),
    ("script lint", "", "检查话术有没有错漏：文件、行、列，用 ^ 指出"),
    ("script show", "", "话术的流程、规则和词表"),
    ("script test", "", "跑话术自带的用例"),
    ("script train", "", "从例句里学：写出每个话术的 model.txt"),
    ("script train", "scripts", "话术文件夹（或其中一个），从它的例句里学"),
    ("script train", "check", "什么也不写；现有模型和例句对不上就失败"),
    ("script train", "which", "话术编号；不给则为有例句的全部"),
    ("script publish", "", "把话术作为一个版本存进服务器的库"),
    ("script publish", "activate", "同时启用：此后开始的通话用它评级"),
    ("script publish", "note", "改了什么"),
    ("script publish", "folder", "话术的文件夹"),
    ("script list", "", "服务器的库里有哪些版本，新的在前"),
    ("script list", "id", "哪个话术；不给则为全部"),
    ("script activate", "", "此后开始的通话用这个版本评级，服务器不用重启"),
    ("script activate", "version", "哪个版本；版本号至少给前六位"),
    ("script rollback", "", "重新启用上一个版本"),
    ("script rollback", "id", "哪个话术"),
    ("records", "", "查看服务器存下的通话"),
    ("records list", "script", "用这个话术评级的"),
    ("records list", "version", "……的这个版本"),
    ("records list", "label", "这个等级的；可给多次，任一即可"),
    ("records list", "rule", "由这条规则评级的"),
    ("records list", "from", "这个时刻或之后开始的，如 2026-03-01T09:00:00+08:00"),
    ("records list", "before", "这个时刻之前开始的"),
    ("records list", "attribute", "某个属性正是这个值的；可给多次，都要符合"),
    ("records list", "text", "有一句话含有这些字"),
    ("records list", "ended", "已结束的，或进行中的"),
    ("records list", "", "按条件列出通话，新的在前"),
    ("records list", "limit", "最多多少通"),
    ("records show", "", "一通通话：事件、结果和每次修订，proto3 JSON"),
    ("records show", "call_id", "哪一通"),
    ("records export", "script", "用这个话术评级的"),
    ("records export", "version", "……的这个版本"),
    ("records export", "label", "这个等级的；可给多次，任一即可"),
    ("records export", "rule", "由这条规则评级的"),
    ("records export", "from", "这个时刻或之后开始的，如 2026-03-01T09:00:00+08:00"),
    ("records export", "before", "这个时刻之前开始的"),
    ("records export", "attribute", "某个属性正是这个值的；可给多次，都要符合"),
    ("records export", "text", "有一句话含有这些字"),
    ("records export", "ended", "已结束的，或进行中的"),
    ("records export", "", "导出符合条件的全部通话，每行一通，proto3 JSON"),
    ("forget", "", "删除存下的某人的内容：按通话或属性"),
    ("forget", "call", "这个编号的通话"),
    ("forget", "attribute", "某个属性是这个值的全部通话"),
    ("forget", "yes", "真的删除；不加只显示会删除什么"),
    ("backup", "", "把服务器的库复制到一个文件，服务器不用停"),
    ("backup", "file", "要写的文件；不能已经存在"),
    ("audit", "", "谁发布、启用、导出、删除了什么"),
    ("audit", "tenant", "哪个租户的；不给则为全部"),
    ("audit", "limit", "最多多少条，新的在前"),
    ("serve", "", "在线评级服务：gRPC、gRPC-web、HTTP/JSON 同一端口"),
    ("demo", "", "启动服务，把样例通话用真实的 gRPC 流式送进去"),
    ("classify", "store", "服务器的数据目录或 PostgreSQL 网址：文件夹里没有的版本从这里找"),
    ("explain", "store", "服务器的数据目录或 PostgreSQL 网址：文件夹里没有的版本从这里找"),
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
    ("store", "服务器存通话和话术版本的地方：数据目录，或 PostgreSQL 的网址"),
    ("tenant", "哪个租户的通话和话术"),
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
    let shared: Vec<&str> = command
        .get_arguments()
        .map(|arg| arg.get_id().as_str().to_owned())
        .filter_map(|id| SHARED.iter().find(|(known, _)| *known == id).map(|(known, _)| *known))
        .collect();
    for (id, help) in SHARED.iter().filter(|(id, _)| shared.contains(id)) {
        command = command.mut_arg(*id, |arg| arg.help(*help));
    }
    // What a subcommand says of its own goes before what it shares.
    for (_, id, help) in CHINESE.iter().filter(|(at, ..)| *at == path) {
        command = if id.is_empty() { command.about(*help) } else { command.mut_arg(*id, |arg| arg.help(*help)) };
    }
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names.into_iter().filter(|name| name != "help") {
        let inner = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(&name, |sub| chinese(sub, &inner));
    }
    command
}
