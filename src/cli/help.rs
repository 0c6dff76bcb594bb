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
    ("regrade", "", "把录下的通话重新评级，几百万通也行，并说明改了什么"),
    ("regrade", "script", "用哪个话术：编号、编号@版本，或 编号@草稿；草稿是话术文件夹、其中一个文件，或路径和文本的 JSON"),
    ("regrade", "against", "和另一个版本比（写法同 --script），或 stored：和输入里带的等级比"),
    ("regrade", "out", "结果放进哪个文件夹，或哪个文件（.parquet、.jsonl、.csv），其余放在它旁边"),
    ("regrade", "output", "结果格式；看文件名，否则 Parquet"),
    ("regrade", "whole", "Parquet：完整结果，带依据、节点和跟进，同 classify --output arrow"),
    ("regrade", "resume", "输入、话术、选项都相同的那次停下了，接着评"),
    ("regrade", "overwrite", "换掉上次留下的结果"),
    ("regrade", "threads", "用几个线程；不给则和核数一样多"),
    ("regrade", "checkpoint", "每隔多少秒把做完的落盘：崩溃后最多重做这么多"),
    ("regrade", "examples", "终端里每对等级最多显示几通变了的通话；报告和文件里更多"),
    ("regrade", "format", "输入格式"),
    ("regrade", "robot_party", "vCon 里哪一方是机器人：序号、姓名、电话或邮箱"),
    ("regrade", "store", "服务器的数据目录或 PostgreSQL 网址：文件夹里没有的版本从这里找；不给输入文件时，评的就是它存下的通话"),
    ("regrade", "label", "存下的通话里，这个等级的；可给多次或用逗号隔开，任一即可"),
    ("regrade", "rule", "存下的通话里，由这条规则评级的"),
    ("regrade", "from", "存下的通话里，这个时刻或之后开始的，如 2026-03-01T09:00:00+08:00"),
    ("regrade", "before", "存下的通话里，这个时刻之前开始的"),
    ("regrade", "attribute", "存下的通话里，某个属性正是这个值的；可给多次，都要符合"),
    ("regrade", "text", "存下的通话里，有一句话含有这些字的"),
    ("regrade", "inputs", "通话文件和装着它们的文件夹：JSON 行（也可 .gz、.zst）、Parquet、vCon；不给则评 --store 里的通话"),
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
    ("records list", "graded-with", "用这个话术评级的"),
    ("records list", "version", "……的这个版本"),
    ("records list", "label", "这个等级的；可给多次或用逗号隔开，任一即可"),
    ("records list", "rule", "由这条规则评级的"),
    ("records list", "from", "这个时刻或之后开始的，如 2026-03-01T09:00:00+08:00"),
    ("records list", "before", "这个时刻之前开始的"),
    ("records list", "attribute", "某个属性正是这个值的；可给多次，都要符合"),
    ("records list", "text", "有一句话含有这些字"),
    ("records list", "ended", "已结束的，或进行中的"),
    ("records list", "", "按条件列出通话，新的在前"),
    ("records list", "limit", "最多多少通；0 为不限"),
    ("records show", "", "一通通话：事件、结果和每次修订，proto3 JSON"),
    ("records show", "call_id", "哪一通"),
    ("records export", "graded-with", "用这个话术评级的"),
    ("records export", "version", "……的这个版本"),
    ("records export", "label", "这个等级的；可给多次或用逗号隔开，任一即可"),
    ("records export", "rule", "由这条规则评级的"),
    ("records export", "from", "这个时刻或之后开始的，如 2026-03-01T09:00:00+08:00"),
    ("records export", "before", "这个时刻之前开始的"),
    ("records export", "attribute", "某个属性正是这个值的；可给多次，都要符合"),
    ("records export", "text", "有一句话含有这些字"),
    ("records export", "ended", "已结束的，或进行中的"),
    ("records export", "", "导出符合条件的全部通话，每行一通，proto3 JSON"),
    ("forget", "", "删除存下的某人的内容：按通话、电话号码或属性"),
    ("forget", "call", "这个编号的通话"),
    ("forget", "phone", "出现过这个电话号码的全部通话，怎么写都行，打没打码都行"),
    ("forget", "attribute", "某个属性是这个值的全部通话"),
    ("forget", "yes", "真的删除；不加只显示会删除什么"),
    ("backup", "", "把服务器的库复制到一个文件，服务器不用停"),
    ("backup", "file", "要写的文件；不能已经存在"),
    ("audit", "", "谁发布、启用、导出、删除了什么"),
    ("audit", "tenant", "哪个租户的；不给则为全部"),
    ("audit", "limit", "最多多少条，新的在前；0 为不限"),
    ("serve", "", "在线评级服务：gRPC、gRPC-web、HTTP/JSON 同一端口"),
    ("push", "", "待推送的评级结果：查看发件箱，重发放弃了的"),
    ("push list", "", "发件箱里有什么：还要推送的结果，和放弃了的（死信）"),
    ("push list", "tenant", "只看这个租户的"),
    ("push list", "dead", "只看放弃了的"),
    ("push list", "output", "输出格式"),
    ("push resend", "", "从头再试：放弃了的，或在等下一次重试的"),
    ("push resend", "tenant", "只重发这个租户的"),
    ("push resend", "all", "所有放弃了的"),
    ("push resend", "ids", "callgrade push list 显示的编号"),
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
    ("serve", "log", "写到标准错误的日志：error、warn、info、debug、trace、off，或 callgrade::transport=debug,warn 这样的过滤式"),
    ("serve", "log_format", "日志格式；标准错误不是终端时为 json"),
    ("serve", "otlp_endpoint", "把追踪用 OTLP/gRPC 送到这个收集器"),
    ("serve", "drain_notice_ms", "收到停止信号后，先宣告这么久再停止接收通话"),
    ("config", "", "正在生效的设置，各来自哪里"),
    ("config", "output", "输出格式"),
    ("keys", "", "创建、列出、吊销租户的 API 密钥"),
    ("keys create", "", "创建密钥并打印出来：只显示这一次"),
    ("keys create", "tenant", "密钥能看哪个租户的通话：1 到 64 个 a-z、0-9、_、-"),
    ("keys create", "role", "能做什么：ingest、qa 或 admin，后面的包含前面的"),
    ("keys create", "name", "人怎么称呼它"),
    ("keys list", "", "全部密钥，吊销的也在内"),
    ("keys revoke", "", "永久吊销一个密钥"),
    ("keys revoke", "id", "密钥编号：列表里有，也就是密钥两个下划线之间的部分"),
    ("serve", "tls_cert", "用这张证书（PEM，签发链接在后面）提供 TLS；文件改了自动重读"),
    ("serve", "tls_key", "证书的私钥（PEM）"),
    ("serve", "tls_client_ca", "要求客户端出示这些机构（PEM）签发的证书"),
    ("serve", "jwt_jwks", "接受用这些公钥（JWK 集合）之一签名的令牌（JWT）"),
    ("serve", "jwt_key", "接受用这个公钥（PEM：RSA、EC P-256 或 Ed25519）签名的令牌（JWT）"),
    ("serve", "jwt_secret_file", "接受用这个文件里的密钥签名的令牌（JWT，HS256）"),
    ("serve", "jwt_issuer", "只接受这个签发者的令牌（iss）"),
    ("serve", "jwt_audience", "只接受给这个受众的令牌（aud）"),
    ("serve", "jwt_tenant_claim", "令牌里写明租户的字段"),
    ("serve", "jwt_role_claim", "令牌里写明角色的字段：ingest、qa 或 admin"),
    ("serve", "insecure", "没有 TLS，或没有密钥和令牌，也在别人连得到的地址上监听"),
    ("serve", "max_live_calls", "一个租户同时最多多少通进行中的通话；0 为不限"),
    ("serve", "max_streams", "一个租户同时最多打开多少个流；0 为不限"),
    ("serve", "max_requests_per_second", "一个租户每秒最多多少个请求，打开一个流算一个；0 为不限"),
    ("serve", "max_queued_regrades", "一个租户最多排队多少个重新评级任务；0 为不限"),
    ("serve", "max_regrade_rate", "每秒最多重新评级多少通通话；0 为尽快"),
    ("serve", "regrade_retention_days", "重新评级任务和结果在结束多少天后删除；0 为永不"),
    ("loadgen", "", "向服务器流式送入合成的通话，量它承受得怎么样"),
    ("loadgen", "server", "服务器：http:// 或 https://，主机和端口"),
    ("loadgen", "key", "出示的 API 密钥或令牌；@文件 从文件读，进程列表里看不到"),
    ("loadgen", "ca", "只信任这些机构（PEM），不用公网的"),
    ("loadgen", "calls_per_second", "每秒开始多少通，不管服务器跟不跟得上；0 为一通结束再开始一通"),
    ("loadgen", "concurrency", "同时最多多少通进行中的通话"),
    ("loadgen", "streams", "分到几个流，每个流一条连接"),
    ("loadgen", "duration", "通话开始多久，如 90s、5m；到时还没结束的都挂断"),
    ("loadgen", "speed", "一通里的事件比真实快多少倍；0 为不停顿"),
    ("loadgen", "mix", "用哪个话术的用例合成通话；可给多次，不给则为全部"),
    ("loadgen", "prefix", "通话编号的开头，也是属性 loadgen 的值；不给则每次运行各不相同"),
    ("loadgen", "output", "结果的格式"),
    ("demo", "exit", "打印结果后退出，不留在前台"),
];

/// Help of arguments that several subcommands share.
const SHARED: &[(&str, &str)] = &[
    ("config", "设置文件（TOML）；每个长选项是一个键，环境变量 CALLGRADE_长选项 优先于它"),
    ("script", "没写话术的通话用哪个话术；ID@版本 同时固定该话术的版本"),
    ("scripts", "用这个文件夹里的话术，不用内置的"),
    ("store", "服务器存通话的地方：数据目录（SQLite），或 PostgreSQL 的网址（postgres://）"),
    ("mask", "先把电话号码、身份证号和银行卡号打码，再评级和显示"),
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
    // `config` has the options of `serve`, and help of its own for the rest.
    let here = |at: &str, id: &str| at == path || (path == "config" && at == "serve" && !id.is_empty());
    for (_, id, help) in CHINESE.iter().filter(|(at, id, _)| here(at, id)) {
        command = if id.is_empty() { command.about(*help) } else { command.mut_arg(*id, |arg| arg.help(*help)) };
    }
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names.into_iter().filter(|name| name != "help") {
        let inner = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(&name, |sub| chinese(sub, &inner));
    }
    command
}
