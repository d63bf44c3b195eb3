import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

// Pulumi's passphrase provider: PBKDF2-SHA256 with a million rounds and 8 bytes of salt, then AES-256-GCM.
const ROUNDS = 1_000_000;
const KEY_BYTES = 32;
const SALT_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PROBE = "pulumi";

const deriveKey = promisify(pbkdf2);

/** Encrypts the secret values of one stack with a passphrase, in the format of Pulumi's passphrase provider. */
export class PassphraseSecrets {
  /** `v1:<salt>:<encrypted probe>`, stored with the state and the config. */
  readonly salt: string;
  readonly #key: Buffer;
  // Like the engine: the same text keeps its ciphertext, so that an unchanged state file does not change.
  readonly #ciphertexts = new Map<string, string>();

  private constructor(key: Buffer, salt: string) {
    this.#key = key;
    this.salt = salt;
  }

  static async create(passphrase: string): Promise<PassphraseSecrets> {
    const salt = randomBytes(SALT_BYTES);
    const key = await deriveKey(passphrase, salt, ROUNDS, KEY_BYTES, "sha256");
    return new PassphraseSecrets(key, `v1:${salt.toString("base64")}:${encryptWith(key, PROBE)}`);
  }

  static async open(passphrase: string, salt: string): Promise<PassphraseSecrets> {
    const [version, encoded, ...probe] = salt.split(":");
    if (version !== "v1" || encoded === undefined) {
      throw new Error(`The encryption salt of the stack must start with "v1:", but it is ${JSON.stringify(salt)}.`);
    }
    const key = await deriveKey(passphrase, Buffer.from(encoded, "base64"), ROUNDS, KEY_BYTES, "sha256");
    const secrets = new PassphraseSecrets(key, salt);
    if (secrets.#tryDecrypt(probe.join(":")) !== PROBE) {
      throw new Error("The passphrase does not fit the stack: check PULUMI_CONFIG_PASSPHRASE.");
    }
    return secrets;
  }

  encrypt(text: string): string {
    const known = this.#ciphertexts.get(text);
    if (known !== undefined) return known;
    const ciphertext = encryptWith(this.#key, text);
    this.#ciphertexts.set(text, ciphertext);
    return ciphertext;
  }

  decrypt(ciphertext: string): string {
    const text = this.#tryDecrypt(ciphertext);
    if (text === undefined) throw new Error("A secret value of the stack cannot be decrypted with its passphrase.");
    this.#ciphertexts.set(text, ciphertext);
    return text;
  }

  #tryDecrypt(ciphertext: string): string | undefined {
    const [version, nonce, sealed] = ciphertext.split(":");
    if (version !== "v1" || nonce === undefined || sealed === undefined) return undefined;
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", this.#key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
    } catch {
      // GCM's authentication failed: another key. The callers say what that means.
      return undefined;
    }
  }
}

function encryptWith(key: Buffer, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
}
