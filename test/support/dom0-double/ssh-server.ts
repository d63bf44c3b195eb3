import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import ssh2, { type AuthContext, type Connection, type NegotiatedAlgorithms, type ServerChannel } from "ssh2";
import type { SshEndpoint } from "../../../provider/src/dom0/ssh-endpoint.ts";

export interface ExecAnswer {
  readonly stdout: string;
  readonly stderr?: string;
  readonly code: number;
  /** The command was killed by this signal instead. */
  readonly signal?: string;
}

export interface SshServerOptions {
  readonly hostKeys?: readonly string[];
  readonly authenticate?: (context: AuthContext) => void;
  /** Answers a command; undefined drops the connection instead. */
  readonly onExec?: (command: string, stdin: string) => Promise<ExecAnswer | undefined>;
  /**
   * The local port to which a connection goes that the server's `connection`-th SSH connection has forwarded; undefined when
   * nothing listens there. Without it the server allows no forwarding.
   */
  readonly onForward?: (host: string, port: number, connection: number) => number | undefined;
  /** The software it says it is, and its algorithms; ssh2's own unless given. */
  readonly protocol?: { readonly ident?: string; readonly algorithms?: Readonly<Record<string, readonly string[]>> };
}

export type KeyPair = ReturnType<typeof ssh2.utils.generateKeyPairSync>;

/** A new key pair. About one in a hundred that ssh2 makes cannot be read back (a leading zero is lost): not those. */
export function ed25519(): KeyPair {
  for (let attempts = 0; attempts < 20; attempts += 1) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519");
    const parsed = ssh2.utils.parseKey(pair.private);
    const isWhole =
      !(parsed instanceof Error) && parsed.getPublicSSH().toString("base64") === pair.public.split(" ")[1];
    if (isWhole && parsed.getPublicSSH().length === 51) return pair;
  }
  throw new Error("ssh2 made no usable key");
}

/** A real SSH server on loopback, in this process. */
export class TestSshServer {
  readonly endpoint: SshEndpoint;
  readonly #server: InstanceType<typeof ssh2.Server>;
  readonly #open = new Set<Connection>();
  connections = 0;
  /** Refuses every login from now on; connections that stand are kept. */
  refuseLogins = false;
  readonly authMethods: string[] = [];
  readonly commands: string[] = [];
  /** The algorithms of each handshake. */
  readonly negotiated: NegotiatedAlgorithms[] = [];
  /** Forwarded connections that are open. */
  readonly forwarded = new Set<Socket>();

  private constructor(server: InstanceType<typeof ssh2.Server>, endpoint: SshEndpoint) {
    this.#server = server;
    this.endpoint = endpoint;
  }

  static async start(options: SshServerOptions = {}): Promise<TestSshServer> {
    const hostKey = ed25519();
    const hostKeys = [...(options.hostKeys ?? [hostKey.private])];
    // The type declarations want algorithms by their literal names.
    const server = new ssh2.Server({ hostKeys, ...(options.protocol as object | undefined) });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const endpoint = { host: "127.0.0.1", port, username: "root", password: "correct horse", hostKey: hostKey.public };
    const self = new TestSshServer(server, endpoint);
    server.on("connection", (client) => self.#serve(client, options));
    return self;
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** Cuts every connection, as a firewall or a crash would. */
  dropAll(): void {
    for (const client of this.#open) client.end();
  }

  async stop(): Promise<void> {
    this.dropAll();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #serve(client: Connection, options: SshServerOptions): void {
    this.connections += 1;
    // Missing in the type declarations. With Nagle's delay each answer would take 40 ms.
    (client as Connection & { setNoDelay(on: boolean): void }).setNoDelay(true);
    this.#open.add(client);
    client.on("close", () => this.#open.delete(client));
    // A client that refuses the host key just leaves.
    client.on("error", () => {});
    client.on("handshake", (negotiated) => this.negotiated.push(negotiated));
    client.on("authentication", (context) => {
      this.authMethods.push(context.method);
      if (this.refuseLogins) context.reject(["password"]);
      else (options.authenticate ?? acceptPassword)(context);
    });
    const { onForward } = options;
    const number = this.connections;
    if (onForward !== undefined) {
      client.on("tcpip", (accept, reject, { destIP, destPort }) => {
        const port = onForward(destIP, destPort, number);
        if (port === undefined) reject();
        else this.#forward(connect({ port, host: "127.0.0.1", allowHalfOpen: true }), accept, reject);
      });
    }
    client.on("session", (accept) => {
      const session = accept();
      session.on("exec", (acceptExec, _reject, info) => {
        this.commands.push(info.command);
        void this.#answer(client, acceptExec(), info.command, options);
      });
    });
  }

  /** As sshd does it: an end on one side is told to the other, and the channel is closed once both have ended. */
  #forward(target: Socket, accept: () => ServerChannel, reject: () => void): void {
    target.once("error", reject);
    target.once("connect", () => {
      target.off("error", reject).on("error", () => {});
      this.forwarded.add(target);
      const channel = accept();
      channel.pipe(target).pipe(channel, { end: false });
      target.on("end", () => channel.eof());
      channel.on("close", () => target.destroy());
      target.on("close", () => {
        this.forwarded.delete(target);
        channel.close();
      });
    });
  }

  async #answer(client: Connection, channel: ServerChannel, command: string, options: SshServerOptions): Promise<void> {
    let stdin = "";
    channel.setEncoding("utf8");
    channel.on("data", (chunk: string) => {
      stdin += chunk;
    });
    await once(channel, "end");
    const onExec = options.onExec ?? silentSuccess;
    const answer = await onExec(command, stdin);
    if (answer === undefined) {
      client.end();
      return;
    }
    channel.write(answer.stdout);
    channel.stderr.write(answer.stderr ?? "");
    if (answer.signal === undefined) channel.exit(answer.code);
    else channel.exit(answer.signal);
    channel.end();
  }
}

async function silentSuccess(): Promise<ExecAnswer> {
  return { stdout: "", code: 0 };
}

function acceptPassword(context: AuthContext): void {
  if (context.method === "password" && context.password === "correct horse") context.accept();
  else context.reject(["password"]);
}
