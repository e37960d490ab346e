//! What is told of the rows before a training, that it can be put right as is said, and that sound
//! data is left alone.

use arenet::{Error, Net};
use pretty_assertions::assert_eq;

/// Numbers without a pattern, from 0 up to 1.
fn noise(seed: u32) -> f64 {
    let mixed = (seed.wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995).wrapping_mul(0x85eb_ca6b);
    f64::from((mixed ^ mixed >> 15).wrapping_mul(0xc2b2_ae35) >> 8) / f64::from(1 << 24)
}

/// A table of 200 rows.
fn table(header: &str, row: impl Fn(u32) -> String) -> String {
    let rows: Vec<String> = (0..200).map(row).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

/// What is told of a table.
fn lints(text: &str, table: &str) -> Result<String, Error> {
    let net = Net::parse(text)?;
    let data = net.reader().csv_from(table.as_bytes(), "rows")?;
    Ok(net.trainer(data).build()?.lints().to_string())
}

/// Checks the messages and the ways out, one after the other.
#[track_caller]
fn check(text: &str, table: &str, expected: &[(&str, &str)]) {
    let told = lints(text, table).unwrap();
    let line = |line: &str| {
        let line = line.trim_start_matches([' ', '=']);
        line.starts_with("warning[")
            .then_some(line)
            .or(line.strip_prefix("help: "))
            .map(str::to_string)
    };
    let told: Vec<String> = told.lines().filter_map(line).collect();
    let flat = |(message, help): &(&str, &str)| [format!("warning[{message}"), help.to_string()];
    let expected: Vec<String> = expected.iter().flat_map(flat).collect();
    assert_eq!(told, expected);
}

/// A net of three columns that estimates one number.
fn regression(statements: &str) -> String {
    format!(
        "net n {{
            input x: [N, 3]
            {statements}
        }}
        train {{
            target t: [N, 1]
            loss = mse(y, t)
            optimizer = adam
        }}"
    )
}

/// Masses in grams, lengths in metres, and something else.
fn animals() -> String {
    table("mass,length,age,t", |i| {
        let [mass, length, age, t] = [1, 2, 3, 4].map(|k| noise(4 * i + k));
        format!("{},{:.2},{:.1},{t}", 1000.0 + (900.0 * mass).round(), length, 20.0 * age)
    })
}

const TWO: &str = "net n {
    input x: [N, 2]
    output y = x |> dense(8) |> tanh |> dense(2)
}
train {
    target t: i32[N] in [\"no\", \"yes\"]
    loss = cross_entropy(y, t)
    optimizer = adam
    valid = 0.2
}";

/// Rows of two numbers and a class.
fn classes(class: impl Fn(u32) -> &'static str) -> String {
    table("a,b,t", |i| format!("{},{},{}", noise(2 * i), noise(2 * i + 1), class(i)))
}

#[test]
fn columns_of_different_scale() {
    let goes = "unscaled-input]: `x` is not brought to scale before `h`: `mass` goes from 1000 to \
                1900, `length` from 0 to 1";
    for (statement, new) in [
        ("h = x |> dense(8) |> relu", "h = x |> standardize |> dense(8) |> relu"),
        ("h = dense(x, 8) |> relu", "h = dense(standardize(x), 8) |> relu"),
        (
            "h = concat(x,\n x * x) |> dense(8)",
            "h = concat(standardize(x), standardize(x) * standardize(x)) |> dense(8)",
        ),
    ] {
        let text = regression(&format!("{statement}\n output y = h |> dense(1)"));
        check(&text, &animals(), &[(goes, &format!("write `{new}`"))]);
        assert_eq!(lints(&text.replace(statement, new), &animals()).unwrap(), "");
    }
}

#[test]
fn columns_that_several_statements_take() {
    let text = regression("h = x |> dense(8)\n output y = dense(h, 1) + dense(x, 1)");
    let message = "unscaled-input]: `x` is not brought to scale before `h`: `mass` goes from 1000 \
                   to 1900, `length` from 0 to 1";
    let help = "add `x_scaled = standardize(x)`, and use `x_scaled` in place of `x`";
    check(&text, &animals(), &[(message, help)]);
    let taken =
        regression("x_scaled = x |> dense(8)\n output y = dense(x_scaled, 1) + dense(x, 1)");
    let help = help.replace("x_scaled", "x_scaled_");
    check(&taken, &animals(), &[(&message.replace("`h`", "`x_scaled`"), &help)]);
    // What is done to a column may need its numbers as they are.
    let text = regression("h = x |> clip(0, 1500) |> dense(8)\n output y = h |> dense(1)");
    let message = "unscaled-input]: `x` is not brought to scale before `h`: `mass` goes from 1000 \
                   to 1500, `length` from 0 to 1";
    let help = "put `standardize` behind what is done to `x`, before `h` takes it";
    check(&text, &animals(), &[(message, help)]);
}

#[test]
fn columns_alone_narrow_or_of_pixels() {
    let one = |statement: &str| regression(statement).replace("[N, 3]", "[N, 1]");
    let large = table("year,t", |i| format!("{},{}", 1900 + i / 2, noise(i)));
    check(
        &one("output y = x |> dense(1)"),
        &large,
        &[(
            "unscaled-input]: `x` is not brought to scale before `y`: it goes from 1900 to 1999",
            "write `output y = x |> standardize |> dense(1)`",
        )],
    );
    let narrow =
        table("density,t", |i| format!("{:.4},{}", 0.995 + 0.004 * noise(i), noise(i + 500)));
    check(
        &one("output y = x |> dense(1)"),
        &narrow,
        &[(
            "unscaled-input]: `x` is not brought to scale before `y`: it goes from 0.995 to 0.999",
            "write `output y = x |> standardize |> dense(1)`",
        )],
    );
    let image = table("", |i| {
        let pixel = |j| format!("{},", (255.0 * noise(99 * i + j)).round());
        (0..20).map(pixel).collect::<String>() + &noise(i).to_string()
    });
    for (statement, new) in [
        ("output y = x |> dense(1)", "output y = x / 255 |> dense(1)"),
        ("output y = dense(x, 1)", "output y = dense((x / 255), 1)"),
    ] {
        let text = regression(statement).replace("[N, 3]", "[N, 20]");
        let message = "unscaled-input]: `x` is not brought to scale before `y`: its numbers go \
                       from 0 to 255";
        check(&text, image.trim_start(), &[(message, &format!("write `{new}`"))]);
        assert_eq!(lints(&text.replace(statement, new), image.trim_start()).unwrap(), "");
    }
}

#[test]
fn columns_that_are_brought_to_scale() {
    for scaled in [
        "h = x |> standardize |> dense(8)",
        "h = x |> min_max |> dense(8)",
        "h = x |> log1p |> dense(8)",
        "h = x |> batch_norm |> dense(8)",
        "h = x |> layer_norm |> dense(8)",
        "h = x / 1000 |> clip(0, 2) |> dense(8)",
        "h = concat(slice(x, from: 0, to: 1) / 1000, slice(x, from: 1, to: 3)) |> dense(8)",
    ] {
        let text = regression(&format!("{scaled}\n output y = h |> dense(1)"));
        let told = lints(&text, &animals()).unwrap();
        // Divided by 1,000, lengths and ages are too small for the layer.
        let is_told = scaled.contains("clip");
        assert_eq!(told.matches("warning[").count(), usize::from(is_told), "{scaled}: {told}");
    }
    // Classes are no numbers, and what is filled in brings nothing to scale.
    let text = "net n {
        input kind: i32[N] in 0..500
        input mass: [N, 1] missing
        h = concat(embedding(kind, 4), fill(mass)) |> dense(8)
        output y = h |> dense(1)
    }
    train { target t: [N, 1]  loss = mse(y, t)  optimizer = adam }";
    let rows = table("kind,mass,t", |i| format!("{},{},{}", i * 2, i * 10, noise(i)));
    check(
        text,
        &rows.replace(",0,", ",?,"),
        &[(
            "unscaled-input]: `mass` is not brought to scale before `h`: it goes from 10 to 1990",
            "write `h = concat(embedding(kind, 4), fill(standardize(mass))) |> dense(8)`",
        )],
    );
}

#[test]
fn classes_without_rows() {
    let rows = classes(|i| if i % 2 == 0 { "no" } else { "yes" });
    let text = TWO.replace("[\"no\", \"yes\"]", "[\"maybe\", \"no\", \"yes\"]");
    let text = text.replace("dense(2)", "dense(3)");
    check(
        &text,
        &rows,
        &[(
            "class-without-rows]: the class \"maybe\" of `t` has none of the 160 rows to train on",
            "add such rows, or write `target t: i32[N] in [\"no\", \"yes\"]`",
        )],
    );
    let numbers = TWO.replace("[\"no\", \"yes\"]", "1..8").replace("dense(2)", "dense(7)");
    check(
        &numbers,
        &classes(|i| if i % 2 == 0 { "1" } else { "2" }),
        &[(
            "class-without-rows]: 5 classes of `t` have none of the 160 rows to train on: 3, 4, 5, \
             6 and 1 more",
            "add such rows, or write `target t: i32[N] in 1..3`",
        )],
    );
    check(
        &numbers,
        &classes(|i| if i % 2 == 0 { "1" } else { "7" }),
        &[(
            "class-without-rows]: 5 classes of `t` have none of the 160 rows to train on: 2, 3, 4, \
             5 and 1 more",
            "add such rows",
        )],
    );
    // The last rows are held out, and the class with them.
    let last = text.replace("valid = 0.2", "valid = 0.2, by: last");
    check(
        &last,
        &classes(|i| {
            if i >= 170 {
                "maybe"
            } else if i % 2 == 0 {
                "no"
            } else {
                "yes"
            }
        }),
        &[(
            "class-without-rows]: the class \"maybe\" of `t` has none of the 160 rows to train on, \
             and 30 of those held out",
            "write `valid = 0.2, by: class`, which holds out a share of each class",
        )],
    );
}

#[test]
fn targets_that_are_always_the_same() {
    check(
        TWO,
        &classes(|_| "no"),
        &[(
            "one-class]: `t` is \"no\" in all 160 rows to train on: there is nothing to learn",
            "train on a table with other values as well",
        )],
    );
    let last = TWO.replace("valid = 0.2", "valid = 0.2, by: last");
    check(
        &last,
        &classes(|i| if i < 160 { "no" } else { "yes" }),
        &[(
            "one-class]: `t` is \"no\" in all 160 rows to train on: there is nothing to learn",
            "write `valid = 0.2, by: class`, which holds out a share of each class",
        )],
    );
    let number =
        table("a,b,c,t", |i| format!("{},{},{},7.5", noise(i), noise(i + 300), noise(i + 600)));
    check(
        &regression("output y = x |> dense(1)"),
        &number,
        &[(
            "one-class]: `t` is 7.5 in all 200 rows to train on: there is nothing to learn",
            "train on a table with other values as well",
        )],
    );
}

#[test]
fn classes_with_nearly_all_rows() {
    let rows = classes(|i| if i == 7 { "yes" } else { "no" });
    let text = TWO.replace("valid = 0.2", "");
    let message = "uneven-classes]: `t` is \"no\" in 199 of the 200 rows to train on: always to \
                   say \"no\" is right in 99.50% of them";
    let metric = "`metric balanced_accuracy(y, t)` says how well the others are found";
    let new = "loss = cross_entropy(y, t, class_weight: balanced)";
    check(&text, &rows, &[(message, &format!("write `{new}`; {metric}"))]);
    assert_eq!(lints(&text.replace("loss = cross_entropy(y, t)", new), &rows).unwrap(), "");
    let counted = text.replace("optimizer", "metric f1(y, t)\n optimizer");
    check(&counted, &rows, &[(message, &format!("write `{new}`"))]);

    let rows = classes(|i| if i == 7 { "1" } else { "0" });
    let sides = |loss: &str| {
        text.replace("i32[N] in [\"no\", \"yes\"]", "[N, 1]")
            .replace("dense(2)", "dense(1)")
            .replace("cross_entropy(y, t)", loss)
    };
    let message = "uneven-classes]: `t` is 0 in 199 of the 200 rows to train on: always to say 0 \
                   is right in 99.50% of them";
    let new = "bce_logits(y, t, pos_weight: 199)";
    let metric = "`metric auc(y, t)` says how well the others are found";
    let help = format!("write `loss = {new}`; {metric}");
    check(&sides("bce_logits(y, t)"), &rows, &[(message, &help)]);
    assert_eq!(lints(&sides(new), &rows).unwrap(), "");
    let squared = "look at a metric that counts each class, such as `auc`";
    check(&sides("mse(y, t)"), &rows, &[(message, squared)]);
    check(&sides("bce(sigmoid(y), t)"), &rows, &[(message, squared)]);
}

#[test]
fn inputs_that_are_the_target() {
    let rows = table("a,euros,c,dollars", |i| {
        let price = (50.0 * noise(i)).round();
        format!("{},{price},{},{:.2}", noise(i + 300), noise(i + 600), 1.1 * price - 3.0)
    });
    let text = regression("output y = x |> dense(1)");
    let new = "input x: [N, 2] from [\"a\", \"c\"]";
    let message = "target-among-inputs]: `euros` of `x` is the target `dollars` in other words";
    let from = "from \"dollars\"";
    let help = format!("leave it out: `{new}`, and `{from}` behind the type of `t`");
    check(&text, &rows, &[(message, &help)]);
    let text_without = text.replace("input x: [N, 3]", new);
    let text_without = text_without.replace("[N, 1]", &format!("[N, 1] {from}"));
    assert_eq!(lints(&text_without, &rows).unwrap(), "");
    // The target has the name of its column.
    let named = rows.replace("dollars", "t");
    let message_of_t = message.replace("dollars", "t");
    check(&text, &named, &[(&message_of_t, &format!("leave it out: `{new}`"))]);
    // Without names of columns, and of one column alone.
    let (_, bare) = rows.split_once('\n').unwrap();
    let message = "target-among-inputs]: `x.1` of `x` is the target `t` in other words";
    let help = "leave it out of the table, or choose the columns of `x` by `from`";
    check(&text, bare, &[(message, help)]);
    let line = table("x,t", |i| format!("{i},{}", 2 * i)).replace("199,", "9.9,");
    let one = text.replace("[N, 3]", "[N, 1]").replace("x |>", "x / 100 |>");
    assert_eq!(lints(&one, &line).unwrap(), "");

    let text = "net n {
        input code: i32[N] in [\"x\", \"y\", \"z\"]
        input a: [N, 1]
        output y = concat(one_hot(code), a) |> dense(3)
    }
    train { target t: i32[N] in 0..3  loss = cross_entropy(y, t)  optimizer = adam }";
    let rows = table("code,a,t", |i| {
        format!("{},{},{}", ["x", "z", "y"][i as usize % 3], noise(i), i % 3)
    });
    let message = "target-among-inputs]: `code` is the target `t` in other words";
    check(text, &rows, &[(message, "remove the input `code`")]);
}

/// Every row comes four times.
fn copied(header: &str) -> String {
    table(header, |i| {
        format!("{},{},{}", noise(i / 4), noise(i / 4 + 300), ["no", "yes"][i as usize / 4 % 2])
    })
}

#[test]
fn rows_that_are_on_both_sides() {
    let told = lints(TWO, &copied("height,width at base,t")).unwrap();
    let start = "warning[copied-rows]: ";
    let end = " of the 40 rows held out are trained on as well, with the same inputs and targets: \
               figures of them are better than those of new rows\n";
    assert!(told.starts_with(start) && told.contains(end), "{told}");
    assert!(told.contains("\n9 |     valid = 0.2\n  |     ^^^^^\n"), "{told}");
    let new = "valid = 0.2, by: height";
    let help =
        format!("help: remove copies from the table, or write `{new}`, which keeps them together");
    assert!(told.contains(&help), "{told}");
    let together = TWO.replace("valid = 0.2", new);
    assert_eq!(lints(&together, &copied("height,width at base,t")).unwrap(), "");
    let quoted = lints(TWO, &copied("12,width at base,t").replacen("12", "at base", 1)).unwrap();
    assert!(quoted.contains("`valid = 0.2, by: \"at base\"`"), "{quoted}");
    let bare = copied("");
    let bare = lints(TWO, bare.trim_start()).unwrap();
    let help = "help: remove copies from the table, or hold rows out by a column that they have in \
                common";
    assert!(bare.contains(help), "{bare}");
}

#[test]
fn rows_to_validate_on_that_are_trained_on() -> Result<(), Error> {
    let net = Net::parse(TWO)?;
    let rows = classes(|i| if i % 2 == 0 { "no" } else { "yes" });
    let data = net.reader().csv_from(rows.as_bytes(), "rows")?;
    let told = net.trainer(data.clone()).validate_on(data).build()?.lints().to_string();
    assert!(told.starts_with("warning[copied-rows]: 200 of the 200 rows held out "), "{told}");
    assert!(told.contains("help: remove them from one of the two tables"), "{told}");
    Ok(())
}

/// Rows of few words are equal by chance, and a few rows that are equal are no matter.
#[test]
fn rows_that_are_equal_by_chance() {
    let words = table("a,b,t", |i| {
        let word = |k| (noise(7 * i + k) * 3.0).floor();
        format!("{},{},{}", word(1), word(2), if noise(i) > 0.5 { "no" } else { "yes" })
    });
    assert_eq!(lints(TWO, &words).unwrap(), "");
}

#[test]
fn models_with_sound_tables_are_left_alone() -> Result<(), Error> {
    // The wines are as they were published, 240 of 1,599 again.
    let mut seen = 0;
    for entry in std::fs::read_dir("models").expect("it is there") {
        let path = entry.expect("it can be read").path();
        let table = path.with_extension("csv");
        if path.extension().is_some_and(|end| end == "net") && table.exists() {
            let net = Net::open(&path)?;
            let trainer = net.trainer(net.read_csv(table)?).threads(1).build()?;
            let told = trainer.lints().to_string();
            match path.ends_with("wine_red.net") {
                true => {
                    assert!(told.starts_with("warning[copied-rows]: 44 of the 160 rows"), "{told}")
                }
                false => assert_eq!(told, "", "{}", path.display()),
            }
            seen += 1;
        }
    }
    assert!(seen >= 14);
    Ok(())
}
