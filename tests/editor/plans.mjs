// Opens the sample plans in the language server that editors use for YAML, with the schema that they
// name, and looks at what it says: `node tests/editor/plans.mjs`. Nothing is fetched.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import rpc from 'vscode-jsonrpc/node';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const server = join(
  dirname(createRequire(import.meta.url).resolve('yaml-language-server/package.json')),
  'bin/yaml-language-server',
);
const child = spawn(process.execPath, [server, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
const connection = rpc.createMessageConnection(
  new rpc.StreamMessageReader(child.stdout),
  new rpc.StreamMessageWriter(child.stdin),
);

const settings = {
  yaml: {
    schemaStore: { enable: false },
    validate: true,
    completion: true,
    hover: true,
    disableDefaultProperties: true,
    format: { enable: false },
  },
};
// What the server says of each text, as it says it.
const waiting = new Map();
connection.onNotification('textDocument/publishDiagnostics', ({ uri, diagnostics }) => {
  waiting.get(uri)?.(diagnostics);
});
connection.onRequest('workspace/configuration', ({ items }) =>
  items.map(({ section }) => (section ? (settings[section] ?? null) : settings)),
);
connection.onRequest('client/registerCapability', () => null);
connection.onRequest('vscode/content', () => '');
connection.onNotification(() => {});
connection.listen();

await connection.sendRequest('initialize', {
  processId: process.pid,
  rootUri: pathToFileURL(root).href,
  workspaceFolders: [{ uri: pathToFileURL(root).href, name: 'throng' }],
  capabilities: {
    workspace: { configuration: true },
    textDocument: {
      completion: { completionItem: { documentationFormat: ['markdown'], snippetSupport: true } },
      hover: { contentFormat: ['markdown'] },
    },
  },
});
await connection.sendNotification('initialized', {});
await connection.sendNotification('workspace/didChangeConfiguration', { settings });

let passed = 0;
let failed = 0;
function is(good, what, seen) {
  if (good) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`FAILED: ${what}`, JSON.stringify(seen, null, 1)?.slice(0, 1500));
  }
}

let version = 0;
// Opens a text under a path of the plans' folders and gives what the server underlines in it.
async function open(path, text) {
  version += 1;
  // An address of its own: what closing the last one sends is not taken for an answer.
  const uri = pathToFileURL(join(root, path.replace(/([^/]+)$/, `${version}-$1`))).href;
  const told = new Promise((done) => waiting.set(uri, done));
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'yaml', version, text },
  });
  return [uri, await told];
}
const close = (uri) =>
  connection.sendNotification('textDocument/didClose', { textDocument: { uri } });

// `|` in the text is where the cursor stands.
function cursor(text) {
  const before = text.slice(0, text.indexOf('|')).split('\n');
  const position = { line: before.length - 1, character: before.at(-1).length };
  return [text.replace('|', ''), position];
}
async function completions(name, marked) {
  const [text, position] = cursor(marked);
  const [uri] = await open(`plans/${name}`, text);
  const given = await connection.sendRequest('textDocument/completion', {
    textDocument: { uri },
    position,
  });
  await close(uri);
  return given.items ?? given;
}

// 1. Every sample plan, as it lies there.
for (const folder of ['plans', 'plans/cookbook']) {
  for (const name of readdirSync(join(root, folder)).filter((name) => name.endsWith('.yaml'))) {
    const text = readFileSync(join(root, folder, name), 'utf8');
    const [uri, told] = await open(`${folder}/${name}`, text);
    is(told.length === 0, `${folder}/${name} has nothing underlined`, told);
    await close(uri);
  }
}

// 2. One mistake, one underlining, at the mistake.
const HEAD = '# yaml-language-server: $schema=throng.schema.json\n';
const plan = `${HEAD}target: http://127.0.0.1:8000
users:
  Reader:
    weight: 2
    wait: 1s..3s
    on_start: { post: /login }
    tasks:
      one: { get: /, accept: [2xx, 404] }
      two:
        steps:
          - { post: /, json: {}, capture: { id: $.id } }
          - { if: id, then: [{ get: /a, expect: { time: < 500ms } }] }
profiles: { p: { users: 5, hold: 1m30s } }
thresholds: [p95 < 500ms, { of: /, must: rps > 1 }]
`;
const [whole, none] = await open('plans/whole.yaml', plan);
is(none.length === 0, 'the plan without mistakes has nothing underlined', none);
await close(whole);
for (const [right, wrong, at, said] of [
  ['weight: 2', 'wieght: 2', 'wieght', /wieght/],
  ['post: /login', 'pots: /login', 'pots', /pots/],
  ['get: /, accept', 'get: /, acept', 'acept', /acept/],
  ['json: {}', 'jsn: {}', 'jsn', /jsn/],
  ['get: /a, expect', 'get: /a, epxect', 'epxect', /epxect/],
  ['time: <', 'tiem: <', 'tiem', /tiem/],
  ['must: rps', 'msut: rps', 'msut', /msut/],
  ['hold: 1m30s', 'hold: 90', '90', /string/],
  ['hold: 1m30s', 'hold: 1:30', '1:30', /time with its unit/],
  ['wait: 1s..3s', 'wait: 1..3', '1..3', /1s\.\.3s/],
  ['p95 < 500ms', 'p95 under 500ms', 'p95 under 500ms', /p95 < 500ms/],
  ['get: /a,', 'get: a,', 'a', /begins with/],
  ['users: 5', 'users: five', 'five', /whole number/],
]) {
  const text = plan.replace(right, wrong);
  const [uri, told] = await open('plans/wrong.yaml', text);
  const words = told.map(({ range: { start, end } }) =>
    start.line === end.line ? text.split('\n')[start.line].slice(start.character, end.character) : '',
  );
  is(
    told.length === 1 && words[0] === at && said.test(told[0].message),
    `\`${wrong}\` is underlined, and nothing else`,
    told.map(({ message }, index) => [words[index], message]),
  );
  await close(uri);
}

// 3. Aliases and merges are filled in before anything is judged.
const [merged, quiet] = await open(
  'plans/merged.yaml',
  plan
    .replace('users:\n', 'x-slow: &slow { wait: 5s, weight: 1 }\nusers:\n')
    .replace('    weight: 2\n    wait: 1s..3s\n', '    <<: *slow\n'),
);
is(quiet.length === 0, 'a plan with an anchor and a merge has nothing underlined', quiet);
await close(merged);

// 4. What is proposed, and what is said of it.
const documented = (item) => (item?.documentation?.value ?? item?.documentation ?? '').length > 10;
for (const [where, marked, keys] of [
  ['a user class', 'users:\n  Reader:\n    |\n', ['wait', 'weight', 'on_start', 'tasks', 'order']],
  ['the plan', 'name: x\n|\n', ['users', 'profiles', 'thresholds', 'vars']],
  ['a task', 'users:\n  Reader:\n    tasks:\n      one:\n        |\n', ['get', 'steps', 'when']],
  ['a step', 'before:\n  - get: /\n    |\n', ['accept', 'capture', 'expect', 'headers']],
  ['a profile', 'profiles:\n  load:\n    users: 5\n    |\n', ['ramp', 'hold', 'stages']],
]) {
  const items = await completions('complete.yaml', HEAD + marked);
  const by = (key) => items.find(({ label }) => label === key);
  const missing = keys.filter((key) => !by(key));
  is(missing.length === 0, `in ${where}, keys are proposed`, { missing, got: items.map((i) => i.label) });
  const dumb = keys.filter((key) => by(key) && !documented(by(key)));
  is(dumb.length === 0, `in ${where}, each is explained`, dumb);
}
const words = await completions('words.yaml', `${HEAD}users:\n  Reader:\n    order: |\n`);
is(
  ['random', 'sequence', 'shuffle', 'chain'].every((word) => words.some(({ label }) => label === word)),
  'behind `order` its words are proposed',
  words.map(({ label }) => label),
);
const [over] = await open('plans/hover.yaml', plan);
const line = plan.split('\n').findIndex((text) => text.includes('wait: 1s'));
const hover = await connection.sendRequest('textDocument/hover', {
  textDocument: { uri: over },
  position: { line, character: 5 },
});
is(/pause/i.test(JSON.stringify(hover)), 'pointing at `wait` tells what it is', hover);

connection.end();
child.kill();
await once(child, 'exit');
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
