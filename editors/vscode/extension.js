// Starts `arenet lsp` for the models that are open.

const { window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = async () => {
  const command = workspace.getConfiguration("arenet").get("command");
  client = new LanguageClient(
    "arenet",
    "Arenet",
    { command, args: ["lsp"] },
    { documentSelector: [{ language: "arenet" }] },
  );
  try {
    await client.start();
  } catch (error) {
    const build = "cargo install --path src/cli --features lsp";
    window.showErrorMessage(`${command} lsp does not start: build it with \`${build}\``);
  }
};

exports.deactivate = () => client?.stop();
