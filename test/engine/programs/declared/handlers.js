"use strict";
const { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { setTimeout: delay } = require("node:timers/promises");

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
let config;

// An engine that dies cannot end its provider, but the pipe to it breaks.
process.stdin.on("end", () => process.exit()).resume();

exports.configure = (request) => {
  config = request.config;
};

exports.check = async (olds, news) => {
  await mark("asking.log", news.askTakesMs);
  log("check", news, { oldsEmpty: Object.keys(olds).length === 0, unknowns: unknownsOf(news) });
  if (news.invalid) return { failures: [{ property: "invalid", reason: String(news.invalid) }] };
  if (news.refuses) return { failures: news.refuses.map((property) => ({ property, reason: "it is refused" })) };
  return { inputs: { ...plain(news), derived: `made of ${news.value === UNKNOWN ? "[unknown]" : news.value}` } };
};

exports.diff = async (id, olds, news) => {
  await mark("asking.log", news.askTakesMs);
  log("diff", news, { id, unknowns: unknownsOf(news) });
  const changed = (key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]);
  const replaces = ["place", "upstream"].filter(changed);
  const changes = replaces.length > 0 || ["value", "text", "password"].some(changed);
  return news.silentDiff ? {} : { changes, replaces, deleteBeforeReplace: news.deleteFirst !== false };
};

exports.create = async (inputs) => {
  log("create", inputs);
  await act(inputs);
  const serial = nextSerial();
  const id = `${inputs.label}-${serial}`;
  const outs = { ...plain(inputs), token: `token-${serial}`, who: who() };
  if (inputs.breaksAtCreate)
    throw Object.assign(new Error("not ready"), { id, properties: outs, reasons: ["not ready"] });
  if (inputs.failsAtCreate) throw new Error(String(inputs.failsAtCreate));
  writeFileSync(hostFile(id), JSON.stringify(plain(inputs)));
  return { id, outs };
};

exports.read = async (id, props) => {
  log("read", props, { id, who: who() });
  if (props.failsAtRead) throw Object.assign(new Error(String(props.failsAtRead)), { stack: "" });
  if (!existsSync(hostFile(id))) return { id: "" };
  const found = JSON.parse(readFileSync(hostFile(id), "utf8"));
  return { id, props: { ...plain(props), ...found }, inputs: found };
};

exports.update = async (id, olds, news) => {
  log("update", news, { id });
  await act(news);
  if (news.failsAtUpdate) throw new Error(String(news.failsAtUpdate));
  writeFileSync(hostFile(id), JSON.stringify(plain(news)));
  return { outs: { ...plain(news), token: olds.token, who: who() } };
};

exports.delete = async (id, props) => {
  log("delete", props, { id, who: who() });
  await act(props);
  if (existsSync(join(process.env.ENGINE_TEST_HOST, `keep-${props.label}`))) throw new Error("it is kept");
  rmSync(hostFile(id), { force: true });
};

/** Takes the time that the resource asks for. */
async function act(inputs) {
  await mark("running.log", inputs.takesMs);
}

/** Leaves a mark before and after the wait, so that the file shows how many calls run at once. */
async function mark(file, waitMs = 0) {
  const log = join(process.env.ENGINE_TEST_HOST, file);
  appendFileSync(log, "+");
  await delay(waitMs);
  appendFileSync(log, "-");
}

function plain(props) {
  const { __provider, ...rest } = props;
  return rest;
}

function unknownsOf(props) {
  return Object.keys(props).filter((key) => props[key] === UNKNOWN);
}

function log(method, props, details = {}) {
  mkdirSync(process.env.ENGINE_TEST_HOST, { recursive: true });
  const line = JSON.stringify({ method, label: props.label, ...details });
  appendFileSync(join(process.env.ENGINE_TEST_HOST, "calls.log"), `${line}\n`);
}

/** Whom the config names: it shows which config the provider runs with. */
function who() {
  return config.get("test:who") ?? "nobody";
}

function nextSerial() {
  const file = join(process.env.ENGINE_TEST_HOST, "serial");
  const serial = existsSync(file) ? Number(readFileSync(file, "utf8")) + 1 : 1;
  writeFileSync(file, String(serial));
  return serial;
}

function hostFile(id) {
  return join(process.env.ENGINE_TEST_HOST, `thing-${id}`);
}
