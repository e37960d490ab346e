//! Runs the command in a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A net that learns exclusive or in two steps an epoch, with a constant rate.
pub const SMALL: &str = "
const H = 4
net small {
    input x: [N, 2]
    h = x |> dense(H) |> tanh
    output y = h |> dense(1) |> sigmoid
}
train {
    target t: [N, 1]
    loss = bce(y, t)
    metric accuracy(y, t)
    optimizer = adam(lr: 0.05)
    batch = 2  epochs = 3
}
";

/// The rows of [`SMALL`].
pub const SMALL_ROWS: &str = "x.0,x.1,t\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n";

/// An empty folder to run in.
pub struct Folder(PathBuf);

/// What a command did.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Folder {
    /// The folder of a test, which has no other's name.
    pub fn new(test: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// With [`SMALL`] and its rows in it.
    pub fn small(test: &str) -> Folder {
        let folder = Folder::new(test);
        folder.write("small.net", SMALL);
        folder.write("small.csv", SMALL_ROWS);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn text_lossy(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.read(name)).into_owned()
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The command in this folder, not yet started.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arenet"));
        command.args(args).current_dir(&self.0).env_remove("RUST_BACKTRACE").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a line of arguments, which are separated by spaces.
    pub fn run(&self, args: &str) -> Done {
        done(self.command(args.split_whitespace()).output().unwrap())
    }

    /// Runs it, and fails the test unless it exits with 0.
    pub fn ok(&self, args: &str) -> Done {
        let done = self.run(args);
        assert_eq!(done.code, 0, "{args}: {done:#?}");
        done
    }

    /// Runs it, and compares its exit code and what it says on standard error.
    pub fn fails(&self, args: &str, code: i32, err: &str) {
        let done = self.run(args);
        assert_eq!((done.code, done.err.trim_end()), (code, err), "{args}");
    }

    /// Starts a command that reads a pipe.
    pub fn piped(&self, args: &str) -> Child {
        self.command(args.split_whitespace()).stdin(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a command on this standard input.
    pub fn fed(&self, args: &str, input: &str) -> Done {
        let mut child = self.piped(args);
        let mut stdin = child.stdin.take().unwrap();
        // It may write before it has read all, and end too.
        std::thread::scope(|scope| {
            scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
            done(child.wait_with_output().unwrap())
        })
    }

    /// Starts a line of arguments.
    pub fn spawn(&self, args: &str) -> Child {
        self.command(args.split_whitespace()).spawn().unwrap()
    }
}

/// The result of a process. It never panics, whatever it is asked.
pub fn done(output: Output) -> Done {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    Done { code: output.status.code().expect("it ends by itself"), out, err }
}

/// What is told of a model that only predicts, with its way out.
pub fn untrained(error: &str) -> String {
    let help = "`train { target t: [N, 1]  loss = mse(y, t)  optimizer = adam }`";
    format!("{error}\nhelp: write one beside `net`: {help}")
}

/// The path of a model that comes with the project.
pub fn model(name: &str) -> String {
    format!("{}/../../models/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The values of a tensor in a file of weights.
pub fn tensor(bytes: &[u8], name: &str) -> Vec<f64> {
    let (len, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (head, values) = rest.split_at(u64::from_le_bytes(*len) as usize);
    let head: Value = serde_json::from_slice(head).unwrap();
    let [from, to] = [0, 1].map(|at| head[name]["data_offsets"][at].as_u64().unwrap() as usize);
    let values = values[from..to].chunks(4);
    values.map(|x| f32::from_le_bytes(x.try_into().unwrap()).into()).collect()
}
