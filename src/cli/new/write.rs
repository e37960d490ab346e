//! Writes the text of a model for a table, with comments that say what each part does.

use arenet::internals::runtime::data::profile::{ColumnProfile, Profile};
use arenet::internals::runtime::program::text::shown;

use super::choose::{Fate, Number, Plan, title};
use super::names::{Names, fits_string, list, string};
use super::size::Size;
use super::target::{Classes, Target};
use crate::table;
use crate::units::{self, count, plural};

/// What a text says of its own file.
pub struct Files {
    /// The name of the table.
    pub table: String,
    /// The command that writes the text.
    pub command: String,
    /// The command that trains the net.
    pub next: String,
}

/// The names that the text has of its own.
const OWN: [&str; 6] = ["x", "h1", "h2", "z", "logits", "probs"];

/// Numbers that one input takes, because they are prepared in the same way.
struct Group<'a> {
    name: String,
    like: &'a Number,
    places: Vec<usize>,
    missing: Vec<String>,
}

/// The columns of more than this are not listed one by one.
const MOST_LISTED: usize = 40;

/// The text of the model.
pub fn write(plan: &Plan<'_>, size: &Size, name: &str, files: &Files) -> String {
    let mut names = Names::with(&OWN);
    let table = plan.table;
    let target = names.unique(&title(table, plan.target_column), "target");
    let predicted = names.unique(&format!("predicted_{target}"), "predicted");
    let groups = groups(plan, &mut names);
    let mut text = head(plan, name, files);
    text.push_str(&left_out(plan));
    text.push_str(&format!("\nnet {name} {{\n"));
    let mut parts: Vec<String> = Vec::new();
    text.push_str(&numbers(plan, &groups, &mut names, &mut parts));
    text.push_str(&words(plan, &mut names, &mut parts));
    text.push_str(&body(plan, size, (&target, &predicted), &parts));
    text.push_str("}\n\n");
    text.push_str(&training(plan, size, (&target, &predicted)));
    text
}

/// What the file is, and how to go on.
fn head(plan: &Plan<'_>, name: &str, files: &Files) -> String {
    let (rows, columns) = (plan.table.rows, plan.table.columns.len() as u64);
    let target = shown(&title(plan.table, plan.target_column));
    let what = match &plan.target {
        Target::Classes(classes) => format!("one of {} classes", classes.count()),
        Target::Number { .. } => "a number".to_string(),
    };
    format!(
        "// {name}.net: predicts {target}, {what}, from other columns of {}.\n\
         // Made for its {} and {} by `{}`;\n// change what you like.\n//\n//     {}\n",
        shown(&files.table),
        plural(rows, "row"),
        plural(columns, "column"),
        files.command,
        files.next,
    )
}

/// The columns that are no inputs, by the reason.
fn left_out(plan: &Plan<'_>) -> String {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for (place, fate) in plan.fates.iter().enumerate() {
        let Fate::Left(why) = fate else { continue };
        let title = shown(&title(plan.table, place));
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, titles)) => titles.push(title),
            None => reasons.push((why, vec![title])),
        }
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = "//\n// Left out, because:\n".to_string();
    for (why, titles) in reasons {
        let more = titles.len().saturating_sub(MOST_LISTED);
        let mut listed = titles[..titles.len() - more].join(", ");
        if more > 0 {
            listed.push_str(&format!(" and {more} more"));
        }
        let lines = table::wrapped(&format!("{listed}: {why}"), 0, 90);
        for (index, line) in lines.lines().enumerate() {
            text.push_str(if index == 0 { "//   " } else { "//     " });
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// The columns of numbers, by how they are prepared.
fn groups<'a>(plan: &'a Plan<'_>, names: &mut Names) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (place, number) in plan.inputs(Fate::number) {
        let alike = |group: &Group<'_>| {
            let key = |n: &Number| (n.is_skewed, n.is_partial);
            number.clip.is_none() && group.like.clip.is_none() && key(group.like) == key(number)
        };
        let at = groups.iter().position(alike).unwrap_or_else(|| {
            let (name, missing) = (String::new(), Vec::new());
            groups.push(Group { name, like: number, places: Vec::new(), missing });
            groups.len() - 1
        });
        groups[at].places.push(place);
        groups[at].missing.extend(number.strays.iter().cloned());
    }
    for group in &mut groups {
        group.missing.sort();
        group.missing.dedup();
        let kind = match group.like {
            Number { is_skewed: true, is_partial: true, .. } => "partial_amounts",
            Number { is_skewed: true, .. } => "amounts",
            Number { is_partial: true, .. } => "partial",
            Number { clip: Some(_), .. } => "wild",
            _ => "numbers",
        };
        let only = group.places.first().filter(|_| group.places.len() == 1);
        let named = only.filter(|_| plan.table.header.is_some());
        let name = named.map_or(kind.to_string(), |&only| title(plan.table, only));
        group.name = names.unique(&name, "column");
    }
    groups
}

/// How a port's columns are found: by name where that is one, else by place, unless the port has
/// the name of its one column.
fn from(table: &Profile, port: &str, places: &[usize]) -> (String, Vec<String>, String) {
    let named = |place: usize| {
        let names = table.header.as_ref()?;
        let name = &names[place];
        let once = names.iter().filter(|other| *other == name).count() == 1;
        (!name.is_empty() && once && fits_string(name)).then_some(name)
    };
    if let [only] = places {
        return match named(*only) {
            Some(name) if name == port => (String::new(), Vec::new(), String::new()),
            Some(name) => (format!(" from {}", string(name)), Vec::new(), String::new()),
            None => (format!(" from {only}"), Vec::new(), String::new()),
        };
    }
    let mut items: Vec<String> = Vec::new();
    let mut rest = places;
    while let Some(&first) = rest.first() {
        let name = if places.len() > MOST_LISTED * 2 { None } else { named(first) };
        let run = match name {
            Some(_) => 1,
            None => (first..).zip(rest).take_while(|(wanted, place)| wanted == *place).count(),
        };
        items.push(match name {
            Some(name) => string(name),
            None if run == 1 => first.to_string(),
            None => format!("{first}..{}", first + run),
        });
        rest = &rest[run..];
    }
    match &items[..] {
        [only] => (format!(" from {only}"), Vec::new(), String::new()),
        _ => (" from [".to_string(), items, "]".to_string()),
    }
}

/// Says that these words mean a missing value too.
fn missing(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| string(word)).collect();
    format!(" missing: [{}]", words.join(", "))
}

/// The inputs of numbers and how they are prepared; adds what is made of them to `parts`.
fn numbers(
    plan: &Plan<'_>,
    groups: &[Group<'_>],
    names: &mut Names,
    parts: &mut Vec<String>,
) -> String {
    let mut text = String::new();
    if groups.is_empty() {
        return text;
    }
    text.push_str("    // Numbers, with their range and mean. Any may be missing.\n");
    let listed: Vec<Vec<String>> = (groups.iter())
        .flat_map(|group| &group.places)
        .map(|&place| {
            let column = &plan.table.columns[place];
            let ((low, high), mean) = (column.range, column.mean);
            let range = [short(low), short(high), short(mean)];
            let [low, high, mean] = range;
            let holes = match column.missing + column.words(plan.table.rows) {
                0 => String::new(),
                holes => format!("{} missing", count(holes)),
            };
            let title = shown(&title(plan.table, place));
            vec!["    //  ".to_string(), title, low, "to".to_string(), high, mean, holes]
        })
        .collect();
    if listed.len() <= MOST_LISTED {
        let numbers = [false, false, true, false, true, true, true];
        text.push_str(&units::columns(&listed, &numbers));
    }
    for group in groups {
        let width = group.places.len();
        let (before, items, after) = from(plan.table, &group.name, &group.places);
        let missing = match group.missing.is_empty() {
            true => " missing".to_string(),
            false => missing(&group.missing),
        };
        let before = format!("input {}: [N, {width}]{before}", group.name);
        text.push_str(&list(4, &before, &items, &format!("{after}{missing}")));
        text.push('\n');
    }
    text.push_str(
        "\n    // To mean 0 and deviation 1, as the training rows have them; `fill` puts the mean \
         where\n    // a number is missing.",
    );
    if groups.iter().any(|group| group.like.is_partial) {
        text.push_str(" `is_missing` is 1 there, which may say something too.");
    }
    text.push('\n');
    if groups.iter().any(|group| group.like.is_skewed) {
        text.push_str(
            "    // `log1p`, the logarithm of 1 + x, for amounts: most small, some very large.\n",
        );
    }
    if groups.iter().any(|group| group.like.clip.is_some()) {
        text.push_str(
            "    // `clip` cuts off what is far from all others, so that few rows do not set the \
             scale.\n",
        );
    }
    for group in groups {
        let log = if group.like.is_skewed { " |> log1p" } else { "" };
        let clip = group.like.clip.map_or(String::new(), |(low, high)| {
            format!(" |> clip({}, {})", short(low), short(high))
        });
        let scaled = names.unique(&format!("{}_scaled", group.name), "scaled");
        let name = &group.name;
        text.push_str(&format!("    {scaled} = {name}{log}{clip} |> standardize |> fill\n"));
        parts.push(scaled);
        if group.like.is_partial {
            parts.push(format!("is_missing({name})"));
        }
    }
    text.push('\n');
    text
}

/// The inputs of words and how they are prepared; adds what is made of them to `parts`.
fn words(plan: &Plan<'_>, names: &mut Names, parts: &mut Vec<String>) -> String {
    let (mut inputs, mut learned) = (String::new(), String::new());
    for (place, word) in plan.inputs(Fate::word) {
        let column = &plan.table.columns[place];
        let name = names.unique(&title(plan.table, place), "column");
        let (before, ..) = from(plan.table, &name, &[place]);
        let items: Vec<String> = word.words.iter().map(|word| string(word)).collect();
        let after = format!("]{before} unknown{}", remark(column, word.words.len()));
        inputs.push_str(&list(4, &format!("input {name}: i32[N] in ["), &items, &after));
        inputs.push('\n');
        match word.embedding {
            None => parts.push(format!("one_hot({name})")),
            Some(width) => {
                let vector = names.unique(&format!("{name}_vector"), "vector");
                learned.push_str(&format!("    {vector} = {name} |> embedding({width})\n"));
                parts.push(vector);
            }
        }
    }
    if inputs.is_empty() {
        return inputs;
    }
    let mut text =
        "    // Words. Any may be missing or another one, which is `unknown`.\n".to_string();
    text.push_str(&inputs);
    if !learned.is_empty() {
        text.push_str(
            "\n    // Many words: some numbers are learned for each, and for the unknown.\n",
        );
        text.push_str(&learned);
    }
    text.push('\n');
    text
}

/// A comment on what is unknown of a column of words.
fn remark(column: &ColumnProfile, words: usize) -> String {
    let rare = column.distinct.saturating_sub(words);
    let mut parts = Vec::new();
    if column.missing > 0 {
        parts.push(format!("{} missing", count(column.missing)));
    }
    if rare > 0 {
        parts.push(format!("{} rare", plural(rare as u64, "word")));
    }
    if parts.is_empty() { String::new() } else { format!(" // {}", parts.join(", ")) }
}

/// The layers.
fn body(
    plan: &Plan<'_>,
    size: &Size,
    (target, predicted): (&str, &str),
    parts: &[String],
) -> String {
    let mut text = String::new();
    let input = match parts {
        [only] => only.clone(),
        parts => {
            text.push_str(&list(4, "x = concat(", parts, ")"));
            text.push('\n');
            "x".to_string()
        }
    };
    let mut before = input;
    for (index, width) in size.hidden.iter().enumerate() {
        let name = format!("h{}", index + 1);
        text.push_str(&format!("    {name} = {before} |> dense({width}, init: he) |> silu"));
        if size.dropout > 0.0 {
            text.push_str(&format!(" |> dropout({})", size.dropout));
        }
        text.push('\n');
        before = name;
    }
    match &plan.target {
        Target::Classes(classes) => {
            text.push_str(&format!("    logits = {before} |> dense({})\n", classes.count()));
            text.push_str("    output probs = softmax(logits)\n");
        }
        Target::Number { .. } => {
            text.push_str(&format!("    z = {before} |> dense(1) // in deviations of {target}\n"));
            text.push_str(&format!("    output {predicted} = unstandardize(z, {target})\n"));
        }
    }
    text
}

/// The section `train`.
fn training(plan: &Plan<'_>, size: &Size, (target, predicted): (&str, &str)) -> String {
    let mut text = "train {\n".to_string();
    let place = [plan.target_column];
    let (from, ..) = from(plan.table, target, &place);
    let column = &plan.table.columns[plan.target_column];
    match &plan.target {
        Target::Classes(classes) => {
            if column.numbers > 0 {
                text.push_str(
                    "    // Its numbers are taken as classes; as amounts with `arenet new --task \
                     number`.\n",
                );
            }
            let before = format!("target {target}: i32[N] in ");
            let line = match classes {
                Classes::Range(first, end) => format!("    {before}{first}..{end}{from}"),
                Classes::Names(names) => {
                    let items: Vec<String> = names.iter().map(|name| string(name)).collect();
                    list(4, &format!("{before}["), &items, &format!("]{from}"))
                }
            };
            text.push_str(&format!("{line}\n"));
            text.push_str(&format!(
                "    loss = cross_entropy(logits, {target}, label_smoothing: 0.05)\n"
            ));
            text.push_str(&format!("    metric accuracy(logits, {target})\n"));
        }
        Target::Number { strays, few } => {
            if *few {
                text.push_str(
                    "    // Its numbers are taken as amounts; as classes with `arenet new --task \
                     classes`.\n",
                );
            }
            let missing = if strays.is_empty() { String::new() } else { missing(strays) };
            text.push_str(&format!("    target {target}: [N, 1]{from}{missing}\n"));
            text.push_str(
                "    // Squared errors where they are small; large ones count less than that.\n",
            );
            text.push_str(&format!("    loss = huber(z, standardize({target}), delta: 0.5)\n"));
            text.push_str(&format!("    metric mae({predicted}, {target})\n"));
            text.push_str(&format!("    metric r2({predicted}, {target})\n"));
        }
    }
    text.push_str(&size.settings());
    text.push_str("}\n");
    text
}

/// A number of about four digits.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e9 {
        return format!("{value}");
    }
    if !(1e-4..1e6).contains(&size) {
        return format!("{value:.2e}");
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 7) as usize;
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}
