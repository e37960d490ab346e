//! The Rust of README.md, run: a documentation test compiles it, and here are its statements.

use arenet::{Error, Net};
use std::path::Path;

/// The lines of a text without comments and what surrounds them.
fn statements(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or(line).trim());
    lines.filter(|line| !line.is_empty()).collect()
}

/// The statements of the block of Rust, from `let net` to the end of `main`.
fn of_readme(readme: &str) -> Vec<&str> {
    let block = readme.split("```rust").nth(1).expect("README.md has a block of Rust");
    let block = statements(block.split("```").next().unwrap_or(block));
    let start = block.iter().position(|line| line.starts_with("let net")).expect("it reads a net");
    block[start..].to_vec()
}

fn run() -> Result<(), Error> {
    let net = Net::open("digits.net")?;
    let data = net.read_csv("digits.csv")?;
    let mut trainer = net.trainer(data).seed(1).threads(2).build()?;
    let report = trainer.train()?;
    trainer.save("digits.safetensors")?;
    let mut digits = net.predictor("digits.safetensors")?;

    println!("{:?}", report.metric("accuracy"));
    let outputs = digits.predict(&[[0.0; 64]])?;
    println!("{:?}", outputs.rows("probs").next());
    Ok(())
}

#[test]
fn the_rust_of_the_readme_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["digits.net", "digits.csv"] {
        std::fs::copy(root.join("models").join(file), folder.join(file)).unwrap();
    }
    // The only test of its binary.
    std::env::set_current_dir(&folder).unwrap();
    run().unwrap();

    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (own, expected) = (statements(include_str!("readme.rs")), of_readme(&readme));
    assert!(expected.len() > 6, "{expected:?}");
    let found = own.windows(expected.len()).any(|window| window == expected);
    assert!(found, "README.md and tests/readme.rs differ: {expected:#?}");
}
