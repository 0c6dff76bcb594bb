//! Which settings are in force: flags over environment over file.
//!
//! Nothing here knows the settings: they are the long options of the command that serves, and what its flags accept its
//! variables and file accept. A command that takes `--config` shares those of them that it has: under the same id, so that an option
//! that is only named alike is none of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::secrecy::{HIDDEN, is_secret};
use super::{ConfigError, Origin, SettingsFile, Tenants, variable, without_passwords};

/// The option that names the file of settings.
const FILE: &str = "config";
/// Options that are no settings.
const NO_SETTINGS: [&str; 3] = [FILE, "help", "version"];

/// A command line with what environment and file add to it.
#[derive(Debug)]
pub struct Settled {
    /// As if all had been given on the command line.
    pub matches: ArgMatches,
    /// The file, if one was named.
    pub file: Option<SettingsFile>,
    /// Variables that begin like ours and set nothing here.
    pub unused: Vec<String>,
    /// Every setting of the command.
    pub in_force: Vec<InForce>,
}

impl Settled {
    /// What the file says of tenants.
    #[must_use]
    pub fn tenants(&self) -> Tenants {
        self.file.as_ref().map(|file| file.tenants.clone()).unwrap_or_default()
    }
}

/// A setting, its value and where that is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The option's name, without dashes.
    pub key: String,
    /// Its value, fit to be shown; `None` if nothing sets it.
    pub value: Option<String>,
    /// Where the value is from.
    pub origin: Origin,
}

/// Why a command line could not be settled.
#[derive(Debug)]
pub enum Unsettled {
    /// The command line is wrong, or asks for help.
    CommandLine(clap::Error),
    /// Environment or file are.
    Config(ConfigError),
}

impl From<clap::Error> for Unsettled {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(error)
    }
}

impl From<ConfigError> for Unsettled {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// A value that environment or file give to an option.
struct Given {
    values: Vec<OsString>,
    origin: Origin,
}

/// Reads a command line and adds what environment and file say. `settings` is the subcommand whose long options are the
/// settings there are.
///
/// # Errors
/// The command line, a variable or the file is wrong.
pub fn settle(
    mut command: Command,
    settings: &str,
    arguments: Vec<OsString>,
    environment: &[(String, OsString)],
) -> Result<Settled, Unsettled> {
    command.build();
    let first = match command.clone().try_get_matches_from(&arguments) {
        // What is required may be in environment or file.
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => forgiving(command.clone()).try_get_matches_from(&arguments)?,
        matches => matches?,
    };
    let serving = command.find_subcommand(settings);
    let mut known: Vec<String> = serving.into_iter().flat_map(options).map(|(key, _)| key.to_owned()).collect();
    known.sort();
    let shared =
        |key: &str, option: &Arg| serving.into_iter().flat_map(options).any(|(at, it)| at == key && it.get_id() == option.get_id());
    let (leaf, given) = leaf(&command, &first);
    if !leaf.get_arguments().any(|option| option.get_long() == Some(FILE)) {
        let matches = command.clone().try_get_matches_from(&arguments)?;
        return Ok(Settled { matches, file: None, unused: Vec::new(), in_force: Vec::new() });
    }
    let from_environment = |key: &str| {
        let name = variable(key);
        environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (name, value.clone()))
    };
    let path = given.get_one::<PathBuf>(FILE).cloned().or_else(|| from_environment(FILE).map(|(_, path)| PathBuf::from(path)));
    let file = path.map(|path| SettingsFile::read(&path)).transpose()?;
    if let Some(setting) = file.iter().flat_map(|file| &file.settings).find(|setting| !known.contains(&setting.key)) {
        let reason = format!("there is no setting {:?}; there are {}, and tables [tenants.NAME]", setting.key, known.join(", "));
        return Err(ConfigError::Wrong(setting.origin.clone(), reason).into());
    }

    // What each layer sets, the higher ones first, so that one of a lower layer does not contradict them.
    let mut set: BTreeMap<&str, Given> = BTreeMap::new();
    let open = |key: &str, option: &Arg| shared(key, option) && !on_command_line(given, option);
    for (key, option) in options(leaf).filter(|(key, option)| open(key, option)) {
        if let Some((name, value)) = from_environment(key) {
            let values = if takes_many(option) { split(&value) } else { vec![value] };
            set.insert(key, Given { values, origin: Origin::Environment(name) });
        }
    }
    let excludes = |option: &Arg, other: &Arg| leaf.get_arg_conflicts_with(option).iter().any(|it| it.get_id() == other.get_id());
    let contradicted = |option: &Arg, set: &BTreeMap<&str, Given>| {
        let mut others = options(leaf).filter(|(key, other)| set.contains_key(key) || on_command_line(given, other));
        others.any(|(_, other)| excludes(option, other) || excludes(other, option))
    };
    let by_flags: Vec<&str> = options(leaf).filter(|(_, option)| contradicted(option, &BTreeMap::new())).map(|(key, _)| key).collect();
    set.retain(|key, _| !by_flags.contains(key));
    let by_any: Vec<&str> = options(leaf).filter(|(_, option)| contradicted(option, &set)).map(|(key, _)| key).collect();
    for setting in file.iter().flat_map(|file| &file.settings) {
        let option = options(leaf).find(|(key, option)| *key == setting.key && open(key, option));
        if let Some((key, _)) = option.filter(|(key, _)| !set.contains_key(key) && !by_any.contains(key)) {
            let values = setting.values.iter().map(OsString::from).collect();
            set.insert(key, Given { values, origin: setting.origin.clone() });
        }
    }

    let mut added = Vec::new();
    for (key, option) in options(leaf) {
        if let Some(given) = set.get(key) {
            added.extend(as_arguments(leaf, key, option, given)?);
        }
    }
    let mut all = arguments;
    all.extend(added);
    let matches = command.clone().try_get_matches_from(all)?;
    let in_force = {
        let (_, matches) = self::leaf(&command, &matches);
        let settings = options(leaf).filter(|(key, option)| shared(key, option));
        settings.map(|(key, option)| in_force(key, option, matches, given, set.get(key))).collect()
    };
    let ours: Vec<String> = known.iter().map(|key| variable(key)).chain([variable(FILE)]).collect();
    let unused = environment.iter().map(|(name, _)| name).filter(|name| !ours.contains(name)).cloned().collect();
    Ok(Settled { matches, file, unused, in_force })
}

/// The command, such that it and those below it read on past what is wrong.
fn forgiving(command: Command) -> Command {
    command.ignore_errors(true).mut_subcommands(forgiving)
}

/// The command that was asked for, and what was given to it.
fn leaf<'a>(mut command: &'a Command, mut matches: &'a ArgMatches) -> (&'a Command, &'a ArgMatches) {
    while let Some((name, inner)) = matches.subcommand()
        && let Some(sub) = command.find_subcommand(name)
    {
        (command, matches) = (sub, inner);
    }
    (command, matches)
}

/// A command's own options that can be settings.
fn options(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let own = command.get_arguments().filter(|option| !option.is_global_set());
    own.filter_map(|option| Some((option.get_long()?, option))).filter(|(key, _)| !NO_SETTINGS.contains(key))
}

fn on_command_line(given: &ArgMatches, option: &Arg) -> bool {
    // An id that the matches do not know is a group's or of another command.
    let there = given.try_contains_id(option.get_id().as_str()).is_ok();
    there && given.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
}

fn takes_many(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Append)
}

/// A variable's values where an option takes several: a comma between them.
fn split(value: &OsString) -> Vec<OsString> {
    match value.to_str() {
        Some(text) => text.split(',').map(|value| OsString::from(value.trim())).collect(),
        None => vec![value.clone()],
    }
}

/// What would have to stand on the command line. Each value is tried by itself, so that what is wrong with it can be told by
/// where it is from.
fn as_arguments(leaf: &Command, key: &str, option: &Arg, given: &Given) -> Result<Vec<OsString>, ConfigError> {
    let wrong = |value: Option<&OsString>, reason: String| ConfigError::Value {
        origin: given.origin.clone(),
        key: key.to_owned(),
        value: value.filter(|_| !is_secret(option)).map(|value| without_passwords(&value.to_string_lossy()).into_owned()),
        reason,
    };
    if given.values.len() != 1 && !takes_many(option) {
        return Err(wrong(None, "one value is wanted, not a list".to_owned()));
    }
    if !option.get_action().takes_values() {
        let value = &given.values[0];
        return match value.to_str() {
            Some("true" | "1") => Ok(vec![format!("--{key}").into()]),
            Some("false" | "0" | "") => Ok(Vec::new()),
            _ => Err(wrong(Some(value), "true or false is wanted".to_owned())),
        };
    }
    let mut arguments = Vec::new();
    for value in &given.values {
        let mut argument = OsString::from(format!("--{key}="));
        argument.push(value);
        let tried = leaf.clone().try_get_matches_from([OsString::from(leaf.get_name()), argument.clone()]);
        if let Some(reason) = tried.err().and_then(|error| refusal(&error)) {
            return Err(wrong(Some(value), reason));
        }
        arguments.push(argument);
    }
    Ok(arguments)
}

/// Why a value was refused; `None` if something else is wrong with a command line of this value alone.
fn refusal(error: &clap::Error) -> Option<String> {
    let values = || match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => Some(format!("one of {} is wanted", values.join(", "))),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidValue => Some(values().unwrap_or_else(|| "a value is wanted".to_owned())),
        ErrorKind::ValueValidation => {
            let source = std::error::Error::source(error).map(ToString::to_string);
            Some(source.unwrap_or_else(|| "not a value of it".to_owned()))
        }
        ErrorKind::InvalidUtf8 => Some("not UTF-8".to_owned()),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => Some("one value is wanted".to_owned()),
        _ => None,
    }
}

fn in_force(key: &str, option: &Arg, matches: &ArgMatches, flags: &ArgMatches, set: Option<&Given>) -> InForce {
    let id = option.get_id().as_str();
    let origin = match set {
        _ if on_command_line(flags, option) => Origin::Flag(key.to_owned()),
        Some(given) => given.origin.clone(),
        None => Origin::Default,
    };
    let raw = matches.get_raw(id).map(|values| values.map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>());
    let value =
        if option.get_action().takes_values() { raw.map(|values| values.join(",")) } else { Some(matches.get_flag(id).to_string()) };
    let value = value.map(|value| if is_secret(option) { HIDDEN.to_owned() } else { without_passwords(&value).into_owned() });
    InForce { key: key.to_owned(), value, origin }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command as others may come to have: a list, a switch, a secret, options that exclude each other or need each other.
    fn command() -> Command {
        let serve = Command::new("serve").args([
            Arg::new("config").long("config").value_parser(clap::value_parser!(PathBuf)),
            Arg::new("allow").long("allow").action(ArgAction::Append),
            Arg::new("insecure").long("insecure").action(ArgAction::SetTrue),
            Arg::new("jwt_secret").long("jwt-secret").value_name("SECRET").value_parser(["long", "longer"]),
            Arg::new("data").long("data").value_name("DIR"),
            Arg::new("store").long("store").conflicts_with("data"),
            Arg::new("cert").long("cert").requires("key_file"),
            Arg::new("key_file").long("key-file").value_name("FILE"),
        ]);
        let keys = Command::new("list").args([
            Arg::new("config").long("config").value_parser(clap::value_parser!(PathBuf)),
            Arg::new("data").long("data").required(true),
            Arg::new("role").long("role"),
        ]);
        let lang = Arg::new("lang").long("lang").global(true);
        Command::new("callgrade").arg(lang).subcommand(serve).subcommand(Command::new("keys").subcommand(keys)).subcommand_required(true)
    }

    fn settled(file: &str, variables: &[(&str, &str)], line: &str) -> Result<Settled, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("f");
        std::fs::write(&path, file).map_err(|error| error.to_string())?;
        let line = format!("callgrade {line} --config {}", path.display());
        let variables: Vec<(String, OsString)> = variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        settle(command(), "serve", line.split(' ').map(OsString::from).collect(), &variables).map_err(|error| match error {
            Unsettled::CommandLine(error) => error.to_string(),
            Unsettled::Config(error) => error.to_string().replace(&path.display().to_string(), "f"),
        })
    }

    fn value(settled: &Settled, key: &str) -> (Option<String>, String) {
        let found = settled.in_force.iter().find(|setting| setting.key == key);
        let origin = |origin: &Origin| origin.to_string().rsplit('/').next().unwrap_or_default().to_owned();
        found.map(|setting| (setting.value.clone(), origin(&setting.origin))).unwrap_or_default()
    }

    fn some(value: &str, origin: &str) -> (Option<String>, String) {
        (Some(value.to_owned()), origin.to_owned())
    }

    #[test]
    fn lists_and_switches_come_from_every_layer() -> Result<(), String> {
        let from_file = settled("allow = [\"a\", \"b\"]\ninsecure = true", &[], "serve")?;
        assert_eq!(value(&from_file, "allow"), some("a,b", "f:1"));
        assert_eq!(value(&from_file, "insecure"), some("true", "f:2"));
        let over_it =
            settled("allow = [\"a\"]\ninsecure = true", &[("CALLGRADE_ALLOW", "c, d"), ("CALLGRADE_INSECURE", "false")], "serve")?;
        assert_eq!(value(&over_it, "allow"), some("c,d", "CALLGRADE_ALLOW"));
        assert_eq!(value(&over_it, "insecure"), some("false", "CALLGRADE_INSECURE"));
        let (_, matches) = over_it.matches.subcommand().ok_or("no subcommand")?;
        assert_eq!(matches.get_many::<String>("allow").map(|all| all.cloned().collect()), Some(vec!["c".to_owned(), "d".to_owned()]));
        assert!(!matches.get_flag("insecure"));
        let said = settled("insecure = \"maybe\"", &[], "serve").map(drop);
        assert_eq!(said, Err("f:1: insecure is \"maybe\": true or false is wanted".to_owned()));
        Ok(())
    }

    #[test]
    fn what_a_higher_layer_excludes_is_left_out() -> Result<(), String> {
        let flag = settled("data = \"d\"", &[], "serve --store s")?;
        assert_eq!((value(&flag, "store"), value(&flag, "data")), (some("s", "--store"), (None, "default".to_owned())));
        let variable = settled("data = \"d\"", &[("CALLGRADE_STORE", "s")], "serve")?;
        assert_eq!((value(&variable, "store").0, value(&variable, "data").0), (Some("s".to_owned()), None));
        let flag = settled("", &[("CALLGRADE_STORE", "s")], "serve --data d")?;
        assert_eq!((value(&flag, "store").0, value(&flag, "data").0), (None, Some("d".to_owned())));
        Ok(())
    }

    #[test]
    fn options_that_need_each_other_may_come_from_different_layers() -> Result<(), String> {
        let settled = settled("key-file = \"k\"", &[("CALLGRADE_CERT", "c")], "serve")?;
        assert_eq!((value(&settled, "cert").0, value(&settled, "key-file").0), (Some("c".to_owned()), Some("k".to_owned())));
        Ok(())
    }

    #[test]
    fn other_commands_share_what_they_have() -> Result<(), String> {
        let keys = settled("data = \"d\"\nstore = \"s\"", &[("CALLGRADE_ROLE", "admin")], "keys list")?;
        assert_eq!(value(&keys, "data"), some("d", "f:1"));
        let (_, matches) = keys.matches.subcommand().and_then(|(_, keys)| keys.subcommand()).ok_or("no subcommand")?;
        assert_eq!(matches.get_one::<String>("role"), None, "what serve does not have is no setting");
        assert_eq!(keys.unused, ["CALLGRADE_ROLE"]);
        let missing = settled("", &[], "keys list").map(drop).unwrap_err();
        assert!(missing.contains("--data"), "{missing}");
        Ok(())
    }

    #[test]
    fn a_secret_is_shown_neither_in_force_nor_when_it_is_wrong() -> Result<(), String> {
        assert_eq!(value(&settled("jwt-secret = \"longer\"", &[], "serve")?, "jwt-secret"), some(HIDDEN, "f:1"));
        let said = settled("jwt-secret = \"shrt\"", &[], "serve").map(drop);
        assert_eq!(said, Err("f:1: jwt-secret: one of long, longer is wanted".to_owned()));
        Ok(())
    }
}
