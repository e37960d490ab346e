//! Dense nets and what is done with them, from the table that all benchmarks of steps share.

use serde_json::Value;

/// A dense net and what is done with it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What it is called in reports.
    pub name: String,
    /// The width of the input, then the units of each layer.
    pub sizes: Vec<usize>,
    /// The last layer has it only where the loss does not bring one.
    pub activation: String,
    /// Its function.
    pub loss: String,
    /// None where it only predicts.
    pub optimizer: Option<String>,
    /// The rows of a step.
    pub batch: usize,
}

/// The workloads of `steps`.
pub fn workloads() -> Vec<Workload> {
    let table: Value = serde_json::from_str(include_str!("workloads.json")).expect("it is JSON");
    table.as_array().expect("it is a list").iter().map(workload).collect()
}

fn workload(entry: &Value) -> Workload {
    let text = |key: &str| entry[key].as_str().map(str::to_string);
    let needed = |key| text(key).unwrap_or_else(|| panic!("{entry}: {key} is missing"));
    let number = |value: &Value| value.as_u64().expect("it is a whole number") as usize;
    Workload {
        name: needed("name"),
        sizes: entry["sizes"].as_array().expect("sizes are a list").iter().map(number).collect(),
        activation: needed("act"),
        loss: needed("loss"),
        optimizer: text("optimizer"),
        batch: number(&entry["batch"]),
    }
}

impl Workload {
    /// Whether the layer of this index has the activation.
    pub fn is_activated(&self, layer: usize) -> bool {
        layer + 2 < self.sizes.len() || self.loss == "mse"
    }

    /// Its layers' statements are named `h1`, `h2` and so on, the last one `y`.
    pub fn layer_name(&self, layer: usize) -> String {
        if layer + 2 == self.sizes.len() { "y".to_string() } else { format!("h{}", layer + 1) }
    }

    /// It as a .net file.
    pub fn source(&self) -> String {
        let (width, outputs) = (self.sizes[0], self.sizes[self.sizes.len() - 1]);
        let mut text = format!("net bench {{\n    input x: f32[N, {width}]\n");
        let mut previous = "x".to_string();
        for (layer, units) in self.sizes[1..].iter().enumerate() {
            let name = self.layer_name(layer);
            let keyword = if name == "y" { "output " } else { "" };
            text.push_str(&format!("    {keyword}{name} = {previous} |> dense({units})"));
            if self.is_activated(layer) {
                text.push_str(&format!(" |> {}", self.activation));
            }
            text.push('\n');
            previous = name;
        }
        let target = match self.loss.as_str() {
            "mse" => format!("f32[N, {outputs}]"),
            _ => format!("i32[N] in 0..{outputs}"),
        };
        let optimizer = match self.optimizer.as_deref() {
            Some("adam") => "adam(lr: 0.001)",
            Some("momentum") => "sgd(lr: 0.01, momentum: 0.9)",
            _ => "sgd(lr: 0.01)",
        };
        text.push_str(&format!(
            "}}\ntrain {{\n    target t: {target}\n    loss = {}(y, t)\n    \
             optimizer = {optimizer}\n    batch = {}\n}}\n",
            self.loss, self.batch
        ));
        text
    }
}
