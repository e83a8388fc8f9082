var __getOwnPropNames = Object.getOwnPropertyNames;
var __esm = (fn, res, err) => function __init() {
  if (err) throw err[0];
  try {
    return fn && (res = (0, fn[__getOwnPropNames(fn)[0]])(fn = 0)), res;
  } catch (e) {
    throw err = [e], e;
  }
};

// src/error.ts
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
var CountersignError, DecodingError, VerificationError, UsageError;
var init_error = __esm({
  "src/error.ts"() {
    "use strict";
    CountersignError = class extends Error {
      code;
      constructor(code, message, options) {
        super(message, options);
        this.code = code;
        this.name = "CountersignError";
      }
    };
    DecodingError = class extends CountersignError {
      name = "DecodingError";
    };
    VerificationError = class extends CountersignError {
      name = "VerificationError";
    };
    UsageError = class extends CountersignError {
      name = "UsageError";
    };
  }
});

// src/encoding/bytes.ts
import { Buffer as Buffer3, isUtf8 } from "node:buffer";
function equalBytes(a, b) {
  return a.length === b.length && asBuffer(a).equals(b);
}
function concatBytes(...parts) {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
function encodeUtf8(text) {
  return Buffer3.from(text, "utf8");
}
function decodeUtf8(bytes, what) {
  if (!isUtf8(bytes)) throw new DecodingError("ENCODING_INVALID", `${what} is not valid UTF-8 text`);
  return asBuffer(bytes).toString("utf8");
}
function asBuffer(bytes) {
  return Buffer3.isBuffer(bytes) ? bytes : Buffer3.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
function excerpt(text, limit = 60) {
  const cut = text.length > limit ? `${text.slice(0, limit)}\u2026` : text;
  return JSON.stringify(cut);
}
var init_bytes = __esm({
  "src/encoding/bytes.ts"() {
    "use strict";
    init_error();
  }
});

// bench/bundle-case.ts
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path2 from "node:path";

// src/crypto/digest.ts
import { createHash, hash } from "node:crypto";
import { Buffer as Buffer2 } from "node:buffer";
var lengths = { sha224: 28, sha256: 32, sha384: 48, sha512: 64 };
var protobufNames = { SHA2_256: "sha256", SHA2_384: "sha384", SHA2_512: "sha512" };
function digest(algorithm, ...parts) {
  const [only] = parts;
  if (only !== void 0 && parts.length === 1 && only.length < 4096) return Buffer2.from(hash(algorithm, only, "binary"), "latin1");
  const state = createHash(algorithm);
  for (const part of parts) state.update(part);
  return state.digest();
}
function digestLength(algorithm) {
  return lengths[algorithm];
}
function protobufDigestAlgorithm(name) {
  return Object.hasOwn(protobufNames, name) ? protobufNames[name] : void 0;
}

// src/encoding/json.ts
init_error();
init_bytes();
var defaultMaxJsonBytes = 128 * 1024 * 1024;
var defaultMaxDepth = 100;
function parseJson(input, what, limits = {}) {
  const maxBytes = limits.maxBytes ?? defaultMaxJsonBytes;
  if (input.length > maxBytes) {
    throw new DecodingError("TOO_LARGE", `${what} is ${input.length} bytes long, more than the limit of ${maxBytes}`);
  }
  const text = typeof input === "string" ? input : decodeText(input, what);
  return new JsonParser(text, what, limits.maxDepth ?? defaultMaxDepth, limits.integers === "exact").document();
}
function isJsonObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function decodeText(bytes, what) {
  try {
    return decodeUtf8(bytes, what);
  } catch (cause) {
    throw new DecodingError("JSON_INVALID", `${what} is not valid JSON: it is not UTF-8 text`, { cause });
  }
}
var EmptyObject = function() {
};
EmptyObject.prototype = /* @__PURE__ */ Object.create(null);
var quote = 34;
var backslash = 92;
var numberPattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
var escapes = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "	" };
var JsonParser = class {
  #text;
  #what;
  #maxDepth;
  #exact;
  #at = 0;
  constructor(text, what, maxDepth2, exact) {
    this.#text = text;
    this.#what = what;
    this.#maxDepth = maxDepth2;
    this.#exact = exact;
  }
  document() {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return value;
  }
  #value(depth) {
    this.#space();
    switch (this.#text.charCodeAt(this.#at)) {
      case 123:
        return this.#object(depth + 1);
      case 91:
        return this.#array(depth + 1);
      case quote:
        return this.#string();
      case 116:
        return this.#literal("true", true);
      case 102:
        return this.#literal("false", false);
      case 110:
        return this.#literal("null", null);
      default:
        return this.#number();
    }
  }
  #object(depth) {
    this.#enter(depth);
    const object = new EmptyObject();
    if (this.#take(125)) return object;
    do {
      this.#space();
      if (this.#text.charCodeAt(this.#at) !== quote) throw this.#unexpected("a key in double quotes");
      const start = this.#at;
      const key = this.#string();
      if (key in object) throw this.#invalid(`the key ${excerpt(key)} stands twice in one object`, start);
      if (!this.#take(58)) throw this.#unexpected('":"');
      object[key] = this.#value(depth);
    } while (this.#take(44));
    if (!this.#take(125)) throw this.#unexpected('"," or "}"');
    return object;
  }
  #array(depth) {
    this.#enter(depth);
    const array = [];
    if (this.#take(93)) return array;
    do
      array.push(this.#value(depth));
    while (this.#take(44));
    if (!this.#take(93)) throw this.#unexpected('"," or "]"');
    return array;
  }
  #enter(depth) {
    if (depth > this.#maxDepth) throw this.#invalid(`nested more than ${this.#maxDepth} levels deep`, this.#at);
    this.#at++;
  }
  #string() {
    const text = this.#text;
    const start = this.#at + 1;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === backslash) return this.#escapedString(start, at);
      if (code < 32) throw this.#invalid("a control character in a string", at);
    }
    throw this.#invalid("a string without its closing quote", start - 1);
  }
  #escapedString(start, firstEscape) {
    const text = this.#text;
    const parts = [];
    let from = start;
    let at = firstEscape;
    for (; ; ) {
      if (at >= text.length) throw this.#invalid("a string without its closing quote", start - 1);
      const code = text.charCodeAt(at);
      if (code === quote) break;
      if (code < 32) throw this.#invalid("a control character in a string", at);
      if (code !== backslash) {
        at++;
        continue;
      }
      parts.push(text.slice(from, at));
      const letter = text.charAt(at + 1);
      if (letter === "u") {
        parts.push(String.fromCharCode(this.#unit(at + 2)));
        at += 6;
      } else {
        const character = escapes[letter];
        if (character === void 0) throw this.#invalid("an unknown escape in a string", at);
        parts.push(character);
        at += 2;
      }
      from = at;
    }
    parts.push(text.slice(from, at));
    this.#at = at + 1;
    const joined = parts.join("");
    if (!joined.isWellFormed()) throw this.#invalid("a lone surrogate in a string", start - 1);
    return joined;
  }
  #unit(at) {
    const digits2 = this.#text.slice(at, at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits2)) throw this.#invalid("an unknown escape in a string", at - 2);
    return Number.parseInt(digits2, 16);
  }
  #number() {
    numberPattern.lastIndex = this.#at;
    const match = numberPattern.exec(this.#text);
    if (match === null) throw this.#unexpected("a value");
    const start = this.#at;
    this.#at = numberPattern.lastIndex;
    const isInteger = match[1] === void 0 && match[2] === void 0;
    const value = Number(match[0]);
    if (Number.isSafeInteger(value) || !isInteger && Number.isFinite(value) && !Number.isInteger(value)) return value;
    if (this.#exact && isInteger && match[0].length <= 1e3) return BigInt(match[0]);
    if (this.#exact && Number.isFinite(value) && !isInteger) return value;
    throw this.#invalid("a number that a double cannot hold exactly (over 2^53)", start);
  }
  #literal(word, value) {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected("a value");
    this.#at += word.length;
    return value;
  }
  /** Skips white space, then one character if it is the given one. */
  #take(code) {
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }
  #space() {
    const text = this.#text;
    for (; ; ) {
      const code = text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at++;
    }
  }
  #unexpected(expected) {
    const found = this.#at < this.#text.length ? excerpt(this.#text.slice(this.#at, this.#at + 12)) : "the end of the text";
    return this.#invalid(`expected ${expected}, found ${found}`, this.#at);
  }
  #invalid(reason, at) {
    return new DecodingError("JSON_INVALID", `${this.#what} is not valid JSON: ${reason} (at character ${at})`);
  }
};

// src/encoding/json-fields.ts
init_error();

// src/encoding/base64.ts
init_error();
init_bytes();
import { Buffer as Buffer4 } from "node:buffer";
function decodeBase64(text, what) {
  const bytes = Buffer4.from(text, "base64");
  if (bytes.toString("base64") !== text) throw notCanonical(text, what, "standard base64 with padding");
  return bytes;
}
function encodeBase64(bytes) {
  return asBuffer(bytes).toString("base64");
}
function encodeBase64Url(bytes) {
  return asBuffer(bytes).toString("base64url");
}
function notCanonical(text, what, expected) {
  return new DecodingError("ENCODING_INVALID", `${what} is not ${expected}, found ${excerpt(text)}`);
}

// src/encoding/json-fields.ts
init_bytes();
var JsonFields = class _JsonFields {
  #object;
  #path;
  #code;
  /** @param path what the object is called in messages, such as `bundle.verificationMaterial` */
  constructor(value, path3, code) {
    if (!isJsonObject(value)) throw new DecodingError(code, `${path3} should be an object, found ${kindOf(value)}`);
    this.#object = value;
    this.#path = path3;
    this.#code = code;
  }
  get path() {
    return this.#path;
  }
  /** The path of a field, for messages of checks made elsewhere. */
  pathOf(name) {
    return `${this.#path}.${name}`;
  }
  /** An error about this object, in the format's own code. */
  invalid(message, cause) {
    return new DecodingError(this.#code, message, { cause });
  }
  /** Refuses fields that the format does not have. */
  only(...names) {
    for (const name of Object.keys(this.#object)) {
      if (!names.includes(name)) throw this.invalid(`${this.#path} has an unknown field ${excerpt(name)}`);
    }
    return this;
  }
  has(name) {
    const value = this.#object[name];
    return value !== void 0 && value !== null;
  }
  /** Every member that is not null. */
  entries() {
    const members = [];
    for (const [name, value] of Object.entries(this.#object)) if (value !== void 0 && value !== null) members.push([name, value]);
    return members;
  }
  /** The value as parsed; undefined when absent or null. */
  raw(name) {
    return this.#object[name] ?? void 0;
  }
  optionalString(name) {
    const value = this.raw(name);
    if (value === void 0 || typeof value === "string") return value;
    throw this.#wrong(name, "a string", value);
  }
  string(name) {
    return this.optionalString(name) ?? this.#missing(name);
  }
  optionalBoolean(name) {
    const value = this.raw(name);
    if (value === void 0 || typeof value === "boolean") return value;
    throw this.#wrong(name, "true or false", value);
  }
  /** Bytes as strict base64; proto3 JSON leaves an empty value out, so an absent field and `""` are both undefined. */
  optionalBytes(name) {
    const text = this.optionalString(name);
    return text === void 0 || text === "" ? void 0 : this.decodeBase64(text, name);
  }
  /** Strict base64 found at `name`, with the format's own error code. */
  decodeBase64(text, name) {
    try {
      return decodeBase64(text, this.pathOf(name));
    } catch (cause) {
      throw this.invalid(messageOf(cause), cause);
    }
  }
  bytes(name) {
    return this.optionalBytes(name) ?? this.#missing(name);
  }
  /** A signed 64-bit integer: a decimal string, as proto3 JSON writes it, or a JSON integer. */
  optionalInt64(name) {
    const value = this.raw(name);
    if (value === void 0) return void 0;
    if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
    if (typeof value === "string" && /^(?:0|-?[1-9][0-9]{0,18})$/.test(value)) {
      const integer = BigInt(value);
      if (BigInt.asIntN(64, integer) === integer) return integer;
    }
    throw this.#wrong(name, "a 64-bit integer", value);
  }
  int64(name) {
    return this.optionalInt64(name) ?? this.#missing(name);
  }
  optionalObject(name) {
    return this.has(name) ? new _JsonFields(this.#object[name], this.pathOf(name), this.#code) : void 0;
  }
  object(name) {
    return this.optionalObject(name) ?? this.#missing(name);
  }
  /** The elements of an array; an absent one is empty, as proto3 JSON has it. */
  array(name, maxLength2) {
    const value = this.raw(name);
    if (value === void 0) return [];
    if (!Array.isArray(value)) throw this.#wrong(name, "an array", value);
    if (value.length > maxLength2) {
      throw this.invalid(`${this.pathOf(name)} has ${value.length} elements, more than the limit of ${maxLength2}`);
    }
    return value;
  }
  /** An array of objects. */
  objects(name, maxLength2) {
    return this.array(name, maxLength2).map((value, index) => new _JsonFields(value, `${this.pathOf(name)}[${index}]`, this.#code));
  }
  #missing(name) {
    throw this.invalid(`${this.pathOf(name)} is missing`);
  }
  #wrong(name, expected, found) {
    return this.invalid(`${this.pathOf(name)} should be ${expected}, found ${kindOf(found)}`);
  }
};
function kindOf(value) {
  if (value === void 0) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string") return `the string ${excerpt(value, 30)}`;
  return typeof value === "object" ? "an object" : `${value}`;
}

// src/bundle/bundle.ts
init_bytes();

// src/bundle/dsse.ts
init_bytes();
var inTotoPayloadType = "application/vnd.in-toto+json";
function parseEnvelopeFields(envelope) {
  envelope.only("payload", "payloadType", "signatures");
  for (const signature of envelope.objects("signatures", 16)) signature.only("sig", "keyid");
  return readEnvelope(envelope);
}
function preAuthenticationEncoding(payloadType, payload) {
  const type = encodeUtf8(payloadType);
  return concatBytes(encodeUtf8(`DSSEv1 ${type.length} `), type, encodeUtf8(` ${payload.length} `), payload);
}
function readEnvelope(envelope) {
  const signatures = envelope.objects("signatures", 16);
  const [signature] = signatures;
  if (signature === void 0 || signatures.length > 1) {
    throw envelope.invalid(`the DSSE envelope has ${signatures.length} signatures, exactly one was expected`);
  }
  return {
    kind: "dsse-envelope",
    payloadType: envelope.string("payloadType"),
    payload: envelope.bytes("payload"),
    signature: signature.bytes("sig"),
    keyId: signature.optionalString("keyid") ?? ""
  };
}

// src/bundle/media-type.ts
var versions = {
  "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
  "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
  "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
  "application/vnd.dev.sigstore.bundle.v0.1+json": "0.1",
  "application/vnd.dev.sigstore.bundle.v0.2+json": "0.2",
  "application/vnd.dev.sigstore.bundle.v0.3+json": "0.3"
};
function bundleVersionOf(mediaType) {
  return Object.hasOwn(versions, mediaType) ? versions[mediaType] : void 0;
}

// src/bundle/bundle.ts
var maxLogEntries = 32;
var maxTimestamps = 32;
var maxChain = 16;
var maxProofHashes = 64;
function parseBundle(input, options = {}) {
  return readBundle(parseJson(input, "the bundle", options), options);
}
function readBundle(value, options = {}) {
  const bundle = new JsonFields(value, "bundle", "BUNDLE_INVALID");
  const mediaType = bundle.string("mediaType");
  const version = bundleVersionOf(mediaType);
  if (version === void 0) {
    throw bundle.invalid(`bundle.mediaType should be that of a Sigstore bundle of version 0.1, 0.2 or 0.3, found ${excerpt(mediaType, 80)}`);
  }
  bundle.only("mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope");
  const content = readContent(bundle);
  const material = bundle.object("verificationMaterial");
  material.only("publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData");
  const keyMaterial2 = readKeyMaterial(material, version, options.allowCertificateChain === true);
  if (keyMaterial2.kind === "public-key" && content.kind === "dsse-envelope" && content.keyId !== "" && keyMaterial2.hint !== "" && content.keyId !== keyMaterial2.hint) {
    throw bundle.invalid(`the key hint of the bundle, ${excerpt(keyMaterial2.hint)}, is not the keyid of its envelope, ${excerpt(content.keyId)}`);
  }
  const logEntries = material.objects("tlogEntries", maxLogEntries).map((entry) => readLogEntry(entry, version));
  return { content, keyMaterial: keyMaterial2, logEntries, timestamps: readTimestamps(material), format: version };
}
function readContent(bundle) {
  const message = bundle.optionalObject("messageSignature");
  const envelope = bundle.optionalObject("dsseEnvelope");
  if (message !== void 0 && envelope !== void 0) {
    throw bundle.invalid("the bundle has two contents, messageSignature and dsseEnvelope, where exactly one was expected");
  }
  if (message !== void 0) return readMessageSignature(message);
  if (envelope !== void 0) return parseEnvelopeFields(envelope);
  throw bundle.invalid("the bundle has no content: messageSignature or dsseEnvelope was expected");
}
function readMessageSignature(message) {
  message.only("messageDigest", "signature");
  return { kind: "message-signature", signature: message.bytes("signature"), digest: readMessageDigest(message) };
}
function readMessageDigest(message) {
  const digest2 = message.optionalObject("messageDigest");
  if (digest2 === void 0) return void 0;
  digest2.only("algorithm", "digest");
  const name = digest2.string("algorithm");
  const algorithm = protobufDigestAlgorithm(name);
  if (algorithm === void 0) throw digest2.invalid(`${digest2.pathOf("algorithm")} should be SHA2_256, SHA2_384 or SHA2_512, found ${excerpt(name)}`);
  return { algorithm, value: digest2.bytes("digest") };
}
function readKeyMaterial(material, version, allowChain) {
  const names = ["publicKey", "x509CertificateChain", "certificate"].filter((name2) => material.has(name2));
  const [name] = names;
  if (name === void 0) throw material.invalid(`${material.path} has no key: certificate, x509CertificateChain or publicKey was expected`);
  if (names.length > 1) throw material.invalid(`${material.path} has more than one of ${names.join(", ")}`);
  if (name === "publicKey") {
    return { kind: "public-key", hint: material.object("publicKey").only("hint").optionalString("hint") ?? "" };
  }
  if (name === "certificate") {
    if (version !== "0.3") throw material.invalid(`a bundle of version ${version} should have x509CertificateChain, found certificate`);
    return { kind: "certificate", leaf: material.object("certificate").only("rawBytes").bytes("rawBytes"), chain: [] };
  }
  if (version === "0.3" && !allowChain) {
    throw material.invalid("a bundle of version 0.3 should have certificate, found x509CertificateChain (to accept it, pass --allow-certificate-chain)");
  }
  return readChain(material.object("x509CertificateChain").only("certificates"));
}
function readChain(chain) {
  const [leaf, ...others] = chain.objects("certificates", maxChain).map((certificate) => certificate.only("rawBytes").bytes("rawBytes"));
  if (leaf === void 0) throw chain.invalid(`${chain.path} holds no certificate`);
  return { kind: "certificate", leaf, chain: others };
}
function readTimestamps(material) {
  const data = material.optionalObject("timestampVerificationData");
  if (data === void 0) return [];
  data.only("rfc3161Timestamps");
  return data.objects("rfc3161Timestamps", maxTimestamps).map((timestamp2) => timestamp2.only("signedTimestamp").bytes("signedTimestamp"));
}
var entryFields = ["logIndex", "logId", "kindVersion", "integratedTime", "inclusionPromise", "inclusionProof", "canonicalizedBody"];
function readLogEntry(entry, version) {
  entry.only(...entryFields);
  const kindVersion = entry.object("kindVersion").only("kind", "version");
  const signedEntryTimestamp = entry.optionalObject("inclusionPromise")?.only("signedEntryTimestamp").bytes("signedEntryTimestamp");
  const inclusionProof = readInclusionProof(entry);
  if (version === "0.1" && signedEntryTimestamp === void 0) {
    throw entry.invalid(`${entry.pathOf("inclusionPromise")} is missing, which a bundle of version 0.1 requires`);
  }
  if (version !== "0.1" && inclusionProof?.checkpoint === void 0) {
    throw entry.invalid(`${entry.pathOf("inclusionProof")} with a checkpoint is missing, which a bundle of version ${version} requires`);
  }
  return {
    logIndex: nonNegative(entry, "logIndex"),
    logId: entry.object("logId").only("keyId").bytes("keyId"),
    kind: kindVersion.string("kind"),
    version: kindVersion.string("version"),
    integratedTime: nonNegative(entry, "integratedTime"),
    signedEntryTimestamp,
    inclusionProof,
    body: entry.bytes("canonicalizedBody")
  };
}
function readInclusionProof(entry) {
  const proof = entry.optionalObject("inclusionProof");
  if (proof === void 0) return void 0;
  proof.only("logIndex", "rootHash", "treeSize", "hashes", "checkpoint");
  const hashes = [];
  const encoded = proof.array("hashes", maxProofHashes);
  for (const [index, hash3] of encoded.entries()) {
    if (typeof hash3 !== "string") throw proof.invalid(`${proof.pathOf("hashes")}[${index}] should be a string`);
    hashes.push(proof.decodeBase64(hash3, `hashes[${index}]`));
  }
  return {
    logIndex: nonNegative(proof, "logIndex"),
    treeSize: nonNegative(proof, "treeSize"),
    rootHash: proof.bytes("rootHash"),
    hashes,
    checkpoint: proof.optionalObject("checkpoint")?.only("envelope").string("envelope")
  };
}
function nonNegative(fields, name) {
  const value = fields.optionalInt64(name) ?? 0n;
  if (value < 0n) throw fields.invalid(`${fields.pathOf(name)} should not be negative, found ${value}`);
  return value;
}

// src/x509/certificate.ts
init_bytes();

// src/encoding/der.ts
init_error();
init_bytes();

// src/encoding/der-time.ts
init_error();
function parseUtcTime(content, what) {
  if (content.length !== 13 || content[12] !== 90) throw invalid(what, "YYMMDDHHMMSSZ");
  const year2 = digits(content, 0, 2, what);
  return instant(content, year2 < 50 ? 2e3 + year2 : 1900 + year2, 2, what);
}
function parseGeneralizedTime(content, what) {
  const end = content.length - 1;
  if (content.length < 15 || content.length > 30 || content[end] !== 90) throw invalid(what, "YYYYMMDDHHMMSSZ");
  let fraction = 0;
  if (content.length > 15) {
    if (content[14] !== 46 || end === 15 || content[end - 1] === 48) throw invalid(what, "YYYYMMDDHHMMSS.fZ without trailing zeros");
    for (let at = 15; at < end; at++) {
      const digit = digits(content, at, 1, what);
      if (at < 18) fraction += digit * 10 ** (17 - at);
    }
  }
  return instant(content, digits(content, 0, 4, what), 4, what) + fraction;
}
function formatGeneralizedTime(instantMs) {
  const text = new Date(instantMs).toISOString();
  const fraction = text.slice(19, 23).replace(/0+$/, "");
  return `${text.slice(0, 19).replaceAll(/[-:T]/g, "")}${fraction === "." ? "" : fraction}Z`;
}
function formatUtcTime(instantMs) {
  return `${new Date(instantMs).toISOString().slice(2, 19).replaceAll(/[-:T]/g, "")}Z`;
}
function instant(content, year2, from, what) {
  const month = digits(content, from, 2, what);
  const day2 = digits(content, from + 2, 2, what);
  const hour = digits(content, from + 4, 2, what);
  const minute2 = digits(content, from + 6, 2, what);
  const second = digits(content, from + 8, 2, what);
  if (month < 1 || month > 12 || day2 < 1 || day2 > daysIn(year2, month) || hour > 23 || minute2 > 59 || second > 59) {
    throw invalid(what, "a date and time that exist");
  }
  if (year2 < 100) throw invalid(what, "a year after 99");
  return Date.UTC(year2, month - 1, day2, hour, minute2, second);
}
function daysIn(year2, month) {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year2 % 4 === 0 && (year2 % 100 !== 0 || year2 % 400 === 0) ? 29 : 28;
}
function digits(content, from, count, what) {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    const digit = (content[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) throw invalid(what, "decimal digits");
    value = value * 10 + digit;
  }
  return value;
}
function invalid(what, expected) {
  return new DecodingError("DER_INVALID", `${what} is not a canonical time: expected ${expected}`);
}

// src/encoding/oid.ts
init_error();
init_bytes();
var maxOidBytes = 128;
var known = /* @__PURE__ */ new Map();
var maxKnown = 512;
function parseOid(content, what) {
  if (content.length === 0 || content.length > maxOidBytes) {
    throw new DecodingError("DER_INVALID", `${what} is an object identifier of ${content.length} bytes (1 to ${maxOidBytes} are allowed)`);
  }
  const key = asBuffer(content).toString("latin1");
  const cached = known.get(key);
  if (cached !== void 0) return cached;
  const dotted = decodeArcs(content, what);
  if (known.size < maxKnown) known.set(key, dotted);
  return dotted;
}
function encodeOid(dotted) {
  const arcs = dotted.split(".").map((arc) => BigInt(arc));
  const [root, second, ...rest] = arcs;
  if (root === void 0 || second === void 0 || root > 2n || root < 2n && second > 39n) {
    throw new DecodingError("DER_INVALID", `${dotted} is not an object identifier`);
  }
  return Uint8Array.from([root * 40n + second, ...rest].flatMap(encodeArc));
}
function encodeArc(arc) {
  const octets = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 128);
  return octets;
}
function decodeArcs(content, what) {
  let dotted = "";
  let arc = 0n;
  let atStart = true;
  for (const octet of content) {
    if (atStart && octet === 128) throw new DecodingError("DER_INVALID", `${what} is an object identifier with an arc that is not minimal`);
    arc = arc << 7n | BigInt(octet & 127);
    atStart = octet < 128;
    if (!atStart) continue;
    dotted += dotted === "" ? firstArcs(arc) : `.${arc}`;
    arc = 0n;
  }
  if (!atStart) throw new DecodingError("DER_INVALID", `${what} is an object identifier that is cut off`);
  return dotted;
}
function firstArcs(arc) {
  if (arc >= 80n) return `2.${arc - 80n}`;
  return arc >= 40n ? `1.${arc - 40n}` : `0.${arc}`;
}

// src/encoding/der.ts
var tag = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  null: 5,
  oid: 6,
  enumerated: 10,
  utf8String: 12,
  printableString: 19,
  teletexString: 20,
  ia5String: 22,
  utcTime: 23,
  generalizedTime: 24,
  bmpString: 30,
  sequence: 48,
  set: 49
};
function contextTag(number, constructed) {
  return 128 | (constructed ? 32 : 0) | number;
}
var maxDepth = 24;
var maxLength = 16 * 1024 * 1024;
function parseDer(bytes, what) {
  const reader = new DerReader(bytes, what);
  const element = reader.any(what);
  reader.end();
  return element;
}
function parseDerSequence(bytes, what) {
  const outer = new DerReader(bytes, what);
  const inner = outer.sequence(what);
  outer.end();
  return inner;
}
var DerReader = class _DerReader {
  #bytes;
  #what;
  #depth;
  #at = 0;
  constructor(content, what, depth = 0) {
    if (depth > maxDepth) throw new DecodingError("DER_INVALID", `${what} is nested more than ${maxDepth} levels deep`);
    this.#bytes = content;
    this.#what = what;
    this.#depth = depth;
  }
  /** Whether every element was read. */
  get done() {
    return this.#at === this.#bytes.length;
  }
  /** The identifier octet of the next element, -1 at the end. */
  peekTag() {
    return this.#bytes[this.#at] ?? -1;
  }
  /** Demands that every element was read. */
  end() {
    if (!this.done) throw this.#invalid(`${this.#bytes.length - this.#at} bytes stand after the last element`);
  }
  /** The next element, whatever it is. */
  any(what) {
    const bytes = this.#bytes;
    const start = this.#at;
    const identifier = bytes[start];
    if (identifier === void 0) throw this.#invalid(`${what} is missing`);
    if ((identifier & 31) === 31) throw this.#invalid(`${what} has a tag number over 30, which is not supported`);
    if (identifier === 0) throw this.#invalid(`${what} has the reserved tag 0`);
    const first = bytes[start + 1];
    if (first === void 0) throw this.#invalid(`${what} ends before its length`);
    let contentStart = start + 2;
    let length = first;
    if (first >= 128) {
      const octets = first & 127;
      if (octets === 0) throw this.#invalid(`${what} has an indefinite length, which DER does not allow`);
      if (octets > 4) throw this.#invalid(`${what} has a length of ${octets} octets`);
      length = 0;
      for (let i = 0; i < octets; i++) {
        const octet = bytes[contentStart + i];
        if (octet === void 0) throw this.#invalid(`${what} ends inside its length`);
        length = length * 256 + octet;
      }
      if (length < 128 || length < 2 ** (8 * (octets - 1))) throw this.#invalid(`${what} has a length that is not minimal`);
      contentStart += octets;
    }
    if (length > maxLength) throw this.#invalid(`${what} is ${length} bytes long, more than the limit of ${maxLength}`);
    const end = contentStart + length;
    if (end > bytes.length) {
      throw this.#invalid(`${what} should have ${length} bytes of content, only ${bytes.length - contentStart} are there`);
    }
    this.#at = end;
    return { tag: identifier, bytes: bytes.subarray(start, end), content: bytes.subarray(contentStart, end) };
  }
  /** The next element, which must have this tag. */
  next(expected, what) {
    const found = this.peekTag();
    if (found !== expected) throw this.#wrongTag(expected, found, what);
    return this.any(what);
  }
  /** The next element if it has this tag, otherwise nothing is read. */
  optional(expected, what) {
    return this.peekTag() === expected ? this.any(what) : void 0;
  }
  /** The elements of the next element, a SEQUENCE. */
  sequence(what) {
    return this.#inside(this.next(tag.sequence, what), what);
  }
  /** The elements of the next element, a SET. DER's order of a SET OF is not checked here: see `sortedSet`. */
  set(what) {
    return this.#inside(this.next(tag.set, what), what);
  }
  /** The elements inside `[number] EXPLICIT` or a constructed IMPLICIT, if that is what comes next. */
  context(number, what) {
    const element = this.optional(contextTag(number, true), what);
    return element === void 0 ? void 0 : this.#inside(element, what);
  }
  /** INTEGER as received: two's complement, minimal. */
  integerBytes(what) {
    const { content } = this.next(tag.integer, what);
    const first = content[0];
    if (first === void 0) throw this.#invalid(`${what} is an INTEGER without content`);
    const second = content[1];
    if (second !== void 0 && (first === 0 && second < 128 || first === 255 && second >= 128)) {
      throw this.#invalid(`${what} is an INTEGER with an unnecessary leading byte`);
    }
    return content;
  }
  /** INTEGER of any sign, up to 1,024 bytes. */
  integer(what) {
    const content = this.integerBytes(what);
    if (content.length > 1024) throw this.#invalid(`${what} is an INTEGER of ${content.length} bytes`);
    const magnitude = BigInt(`0x${asBuffer(content).toString("hex")}`);
    return (content[0] ?? 0) >= 128 ? magnitude - (1n << BigInt(8 * content.length)) : magnitude;
  }
  /** INTEGER from 0 to 2^31 - 1. */
  smallInteger(what) {
    const content = this.integerBytes(what);
    if (content.length > 4 || (content[0] ?? 0) >= 128) throw this.#invalid(`${what} is not a number from 0 to 2^31 - 1`);
    let value = 0;
    for (const byte of content) value = value * 256 + byte;
    return value;
  }
  /** BOOLEAN: 00 or FF. */
  boolean(what) {
    const { content } = this.next(tag.boolean, what);
    if (content.length !== 1 || content[0] !== 0 && content[0] !== 255) {
      throw this.#invalid(`${what} is not a canonical BOOLEAN (00 or FF)`);
    }
    return content[0] === 255;
  }
  /** NULL. */
  null(what) {
    if (this.next(tag.null, what).content.length !== 0) throw this.#invalid(`${what} is a NULL with content`);
  }
  /** OBJECT IDENTIFIER in dotted form. */
  oid(what) {
    return parseOid(this.next(tag.oid, what).content, what);
  }
  octetString(what) {
    return this.next(tag.octetString, what).content;
  }
  /** BIT STRING of whole bytes, as keys and signatures are. */
  bitString(what) {
    const { content } = this.next(tag.bitString, what);
    if (content[0] !== 0) throw this.#invalid(`${what} is not a BIT STRING of whole bytes`);
    return content.subarray(1);
  }
  /** A BIT STRING of named bits (X.690 11.2.2: no trailing zero bits), bit 0 first. At most 32 bits. */
  namedBits(what) {
    const { content } = this.next(tag.bitString, what);
    const unused = content[0];
    const last = content[content.length - 1] ?? 0;
    if (unused === void 0 || unused > 7 || content.length > 5 || content.length === 1 && unused !== 0) {
      throw this.#invalid(`${what} is not a BIT STRING of named bits`);
    }
    if (content.length > 1 && (last >> unused & 1) === 0) throw this.#invalid(`${what} has trailing zero bits`);
    if (content.length > 1 && (last & (1 << unused) - 1) !== 0) throw this.#invalid(`${what} has unused bits that are set`);
    const bits = [];
    for (let i = 0; i < (content.length - 1) * 8 - unused; i++) bits.push(((content[1 + (i >> 3)] ?? 0) >> 7 - (i & 7) & 1) === 1);
    return bits;
  }
  utf8String(what) {
    return decodeUtf8(this.next(tag.utf8String, what).content, what);
  }
  /** UTCTime or GeneralizedTime without fractions, in epoch milliseconds; RFC 5280 4.1.2.5 fixes which one when. */
  certificateTime(what) {
    const isUtc = this.peekTag() === tag.utcTime;
    if (isUtc) return parseUtcTime(this.any(what).content, what);
    const time = parseGeneralizedTime(this.next(tag.generalizedTime, what).content, what);
    if (time < firstGeneralized) throw this.#invalid(`${what} is a GeneralizedTime before 2050`);
    if (time % 1e3 !== 0) throw this.#invalid(`${what} has a fraction of a second`);
    return time;
  }
  /** GeneralizedTime with or without a fraction, in epoch milliseconds. */
  generalizedTime(what) {
    return parseGeneralizedTime(this.next(tag.generalizedTime, what).content, what);
  }
  #inside(element, what) {
    return new _DerReader(element.content, what, this.#depth + 1);
  }
  #wrongTag(expected, found, what) {
    return this.#invalid(
      found === -1 ? `${what} is missing` : `${what} has tag 0x${found.toString(16)} where 0x${expected.toString(16)} was expected`
    );
  }
  #invalid(reason) {
    return new DecodingError("DER_INVALID", `${this.#what} is not valid DER: ${reason}`);
  }
};
var firstGeneralized = Date.UTC(2050, 0, 1);

// src/encoding/der-writer.ts
init_bytes();
function derElement(identifier, content) {
  return concatBytes(Uint8Array.of(identifier), encodeLength(content.length), content);
}
function derSequence(...elements) {
  return derElement(tag.sequence, concatBytes(...elements));
}
function derSet(...elements) {
  return derElement(tag.set, concatBytes(...elements.toSorted(compareBytes)));
}
function derInteger(value) {
  return derElement(tag.integer, value instanceof Uint8Array ? positive(value) : twosComplement(BigInt(value)));
}
function derOid(dotted) {
  return derElement(tag.oid, encodeOid(dotted));
}
function derOctetString(content) {
  return derElement(tag.octetString, content);
}
function derBitString(content) {
  return derElement(tag.bitString, concatBytes(Uint8Array.of(0), content));
}
function derNamedBits(...bits) {
  const last = Math.max(-1, ...bits);
  const content = new Uint8Array(1 + Math.ceil((last + 1) / 8));
  content[0] = (8 - (last + 1) % 8) % 8;
  for (const bit of bits) content[1 + (bit >> 3)] = (content[1 + (bit >> 3)] ?? 0) | 128 >> (bit & 7);
  return derElement(tag.bitString, content);
}
function derBoolean(value) {
  return derElement(tag.boolean, Uint8Array.of(value ? 255 : 0));
}
function derNull() {
  return derElement(tag.null, new Uint8Array(0));
}
function derUtf8String(text) {
  return derElement(tag.utf8String, encodeUtf8(text));
}
function derUtcTime(instantMs) {
  return derElement(tag.utcTime, encodeUtf8(formatUtcTime(instantMs)));
}
function derGeneralizedTime(instantMs) {
  return derElement(tag.generalizedTime, encodeUtf8(formatGeneralizedTime(instantMs)));
}
function derTime(instantMs) {
  return instantMs < Date.UTC(2050, 0, 1) ? derUtcTime(instantMs) : derGeneralizedTime(instantMs);
}
function derExplicit(number, ...elements) {
  return derElement(contextTag(number, true), concatBytes(...elements));
}
function derImplicit(number, content, constructed = false) {
  return derElement(contextTag(number, constructed), content);
}
function encodeLength(length) {
  if (length < 128) return Uint8Array.of(length);
  const octets = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest & 255);
  return Uint8Array.of(128 | octets.length, ...octets);
}
function positive(magnitude) {
  let from = 0;
  while (from < magnitude.length - 1 && magnitude[from] === 0) from++;
  const minimal = magnitude.subarray(from);
  return (minimal[0] ?? 0) >= 128 || minimal.length === 0 ? concatBytes(Uint8Array.of(0), minimal) : minimal;
}
function twosComplement(value) {
  let size = 1;
  while (value < -(1n << BigInt(8 * size - 1)) || value >= 1n << BigInt(8 * size - 1)) size++;
  const bytes = new Uint8Array(size);
  let rest = BigInt.asUintN(8 * size, value);
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}
function compareBytes(a, b) {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

// src/encoding/pem.ts
init_error();
init_bytes();
var maxBlocks = 256;
var boundary = /^-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]*)-----$/;
function parsePem(text, what) {
  const blocks = [];
  let label;
  let body = [];
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    const found = trimmed.startsWith("-----") ? boundary.exec(trimmed) : null;
    if (label === void 0) {
      if (found === null) continue;
      if (found[1] !== "BEGIN") throw invalid2(what, `an END line without its BEGIN: ${excerpt(trimmed)}`);
      label = found[2];
      body = [];
      continue;
    }
    if (found === null) {
      body.push(trimmed);
      continue;
    }
    if (found[1] !== "END" || found[2] !== label) {
      throw invalid2(what, `${excerpt(trimmed)} where "-----END ${label}-----" was expected`);
    }
    if (blocks.length === maxBlocks) throw invalid2(what, `more than ${maxBlocks} blocks`);
    blocks.push({ label, der: decodeBody(body.join(""), label, what) });
    label = void 0;
  }
  if (label !== void 0) throw invalid2(what, `no "-----END ${label}-----" line`);
  if (blocks.length === 0) throw new DecodingError("PEM_INVALID", `${what} holds no PEM block ("-----BEGIN \u2026-----")`);
  return blocks;
}
function decodeBody(body, label, what) {
  if (body.length === 0) throw invalid2(what, `an empty ${label} block`);
  try {
    return decodeBase64(body, `the ${label} block`);
  } catch (cause) {
    throw new DecodingError("PEM_INVALID", `${what} holds a ${label} block that is not base64`, { cause });
  }
}
function invalid2(what, found) {
  return new DecodingError("PEM_INVALID", `${what} is not valid PEM: found ${found}`);
}

// src/x509/certificate.ts
init_error();

// src/x509/extension.ts
init_error();
function parseBasicConstraints(value) {
  const reader = parseDerSequence(value, "the basic constraints");
  let ca = false;
  if (reader.peekTag() === 1) {
    ca = reader.boolean("cA");
    if (!ca) throw new DecodingError("CERTIFICATE_INVALID", "the basic constraints spell out cA FALSE, which DER leaves out");
  }
  const pathLength = reader.done ? void 0 : reader.smallInteger("pathLenConstraint");
  reader.end();
  if (!ca && pathLength !== void 0) throw new DecodingError("CERTIFICATE_INVALID", "the basic constraints have a path length without cA");
  return { ca, pathLength };
}
function parseKeyUsage(value) {
  const reader = new DerReader(value, "the key usage");
  const bits = reader.namedBits("the key usage");
  reader.end();
  return { digitalSignature: bits[0] === true, keyCertSign: bits[5] === true };
}
function parseExtendedKeyUsage(value) {
  const reader = parseDerSequence(value, "the extended key usage");
  const purposes = [];
  while (!reader.done && purposes.length < 32) purposes.push(reader.oid("a purpose"));
  reader.end();
  if (purposes.length === 0) throw new DecodingError("CERTIFICATE_INVALID", "the extended key usage is empty");
  return purposes;
}
function parseSubjectKeyIdentifier(value) {
  const reader = new DerReader(value, "the subject key identifier");
  const identifier = reader.octetString("the identifier");
  reader.end();
  return identifier;
}
function parseAuthorityKeyIdentifier(value) {
  const reader = parseDerSequence(value, "the authority key identifier");
  const identifier = reader.optional(contextTag(0, false), "keyIdentifier")?.content;
  reader.optional(contextTag(1, true), "authorityCertIssuer");
  reader.optional(contextTag(2, false), "authorityCertSerialNumber");
  reader.end();
  return identifier;
}

// src/x509/general-name.ts
init_bytes();
init_error();

// src/x509/object-identifiers.ts
var oid = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  anyExtendedKeyUsage: "2.5.29.37.0",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  timeStamping: "1.3.6.1.5.5.7.3.8",
  /** RFC 6962 section 3.3: the list of SCTs inside a certificate. */
  embeddedScts: "1.3.6.1.4.1.11129.2.4.2",
  /** RFC 6962 section 3.1: marks a precertificate, which no one may accept as a certificate. */
  precertificatePoison: "1.3.6.1.4.1.11129.2.4.3",
  /** The arc of Fulcio's certificate extensions; `.1` to `.24` below it. */
  sigstore: "1.3.6.1.4.1.57264.1",
  /** Type of the otherName that carries a user name (`name!domain`). */
  sigstoreOtherName: "1.3.6.1.4.1.57264.1.7",
  signedData: "1.2.840.113549.1.7.2",
  tstInfo: "1.2.840.113549.1.9.16.1.4",
  contentTypeAttribute: "1.2.840.113549.1.9.3",
  messageDigestAttribute: "1.2.840.113549.1.9.4",
  signingCertificateAttribute: "1.2.840.113549.1.9.16.2.12",
  signingCertificateV2Attribute: "1.2.840.113549.1.9.16.2.47",
  rsaEncryption: "1.2.840.113549.1.1.1",
  sha1: "1.3.14.3.2.26",
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3"
};

// src/x509/general-name.ts
var maxNames = 64;
function parseGeneralNames(der) {
  const outer = new DerReader(der, "the subject alternative name");
  const reader = outer.sequence("the list of names");
  outer.end();
  const names = [];
  while (!reader.done) {
    if (names.length === maxNames) throw new DecodingError("CERTIFICATE_INVALID", `the certificate has more than ${maxNames} subject alternative names`);
    names.push(parseGeneralName(reader));
  }
  if (names.length === 0) throw new DecodingError("CERTIFICATE_INVALID", "the subject alternative name extension is empty");
  return names;
}
function parseGeneralName(reader) {
  const element = reader.any("a name");
  switch (element.tag) {
    case contextTag(1, false):
      return { kind: "email", value: ia5(element.content) };
    case contextTag(2, false):
      return { kind: "dns", value: ia5(element.content) };
    case contextTag(6, false):
      return { kind: "uri", value: ia5(element.content) };
    case contextTag(0, true):
      return parseOtherName(element.content);
    default:
      return { kind: "other", value: element.tag.toString(16) };
  }
}
function parseOtherName(content) {
  const reader = new DerReader(content, "an otherName");
  const type = reader.oid("the type");
  const value = reader.context(0, "the value");
  reader.end();
  if (value === void 0) throw new DecodingError("CERTIFICATE_INVALID", "an otherName has no value");
  if (type !== oid.sigstoreOtherName || value.peekTag() !== tag.utf8String) return { kind: "other", value: type };
  const text = value.utf8String("the user name");
  value.end();
  return { kind: "username", value: text };
}
function ia5(content) {
  for (const byte of content) {
    if (byte >= 128 || byte < 32) throw new DecodingError("CERTIFICATE_INVALID", "a subject alternative name holds a character that is not printable ASCII");
  }
  return decodeUtf8(content, "a subject alternative name");
}

// src/x509/sigstore-extensions.ts
init_bytes();
init_error();
var sigstoreExtensionNumbers = {
  issuerV1: 1,
  githubWorkflowTrigger: 2,
  githubWorkflowSha: 3,
  githubWorkflowName: 4,
  githubWorkflowRepository: 5,
  githubWorkflowRef: 6,
  issuerV2: 8,
  buildSignerUri: 9,
  buildSignerDigest: 10,
  runnerEnvironment: 11,
  sourceRepositoryUri: 12,
  sourceRepositoryDigest: 13,
  sourceRepositoryRef: 14,
  sourceRepositoryIdentifier: 15,
  sourceRepositoryOwnerUri: 16,
  sourceRepositoryOwnerIdentifier: 17,
  buildConfigUri: 18,
  buildConfigDigest: 19,
  buildTrigger: 20,
  runInvocationUri: 21,
  sourceRepositoryVisibilityAtSigning: 22,
  deploymentEnvironment: 23,
  tokenSubject: 24
};
var lastRawExtension = 6;
var nameByOid = /* @__PURE__ */ new Map();
for (const [name, number] of Object.entries(sigstoreExtensionNumbers)) {
  nameByOid.set(`${oid.sigstore}.${number}`, name);
}
function sigstoreExtensionName(extensionOid) {
  return nameByOid.get(extensionOid);
}
function parseSigstoreExtension(name, value) {
  const what = `the certificate extension ${oid.sigstore}.${sigstoreExtensionNumbers[name]} (${name})`;
  if (sigstoreExtensionNumbers[name] <= lastRawExtension) return decodeUtf8(value, what);
  const element = parseDer(value, what);
  if (element.tag !== tag.utf8String) throw new DecodingError("CERTIFICATE_INVALID", `${what} should be a UTF8String, found tag 0x${element.tag.toString(16)}`);
  return decodeUtf8(element.content, what);
}
function issuerOf(extensions) {
  return extensions.issuerV2 ?? extensions.issuerV1;
}

// src/x509/certificate.ts
var maxCertificateBytes = 64 * 1024;
var maxExtensions = 64;
function parseCertificate(der) {
  if (der.length > maxCertificateBytes) {
    throw new DecodingError("TOO_LARGE", `the certificate is ${der.length} bytes long, more than the limit of ${maxCertificateBytes}`);
  }
  const outer = parseDerSequence(der, "the certificate");
  const tbs = outer.next(tag.sequence, "tbsCertificate");
  const outerAlgorithm = outer.next(tag.sequence, "signatureAlgorithm");
  const signature = outer.bitString("signatureValue");
  outer.end();
  const reader = new DerReader(tbs.content, "the certificate", 1);
  const version = reader.context(0, "version");
  if (version?.smallInteger("version") !== 2) throw invalid3("the certificate is not of version 3");
  version.end();
  const serialNumber = reader.integerBytes("serialNumber");
  if ((serialNumber[0] ?? 0) >= 128 || serialNumber.length > 21) throw invalid3("the serial number is negative or longer than 20 bytes");
  const innerAlgorithm = reader.next(tag.sequence, "signature");
  if (!asBuffer(innerAlgorithm.bytes).equals(outerAlgorithm.bytes)) throw invalid3("the two signature algorithms of the certificate differ");
  const issuer2 = reader.next(tag.sequence, "issuer").bytes;
  const validity = reader.sequence("validity");
  const notBefore = validity.certificateTime("notBefore");
  const notAfter = validity.certificateTime("notAfter");
  validity.end();
  const subject = reader.next(tag.sequence, "subject").bytes;
  const spki = reader.next(tag.sequence, "subjectPublicKeyInfo").bytes;
  const headLength = spki.byteOffset + spki.length - tbs.content.byteOffset;
  const wrapped = reader.context(3, "extensions");
  reader.end();
  const extensions = wrapped === void 0 ? [] : parseExtensions(wrapped);
  return {
    bytes: der,
    tbs: tbs.bytes,
    signatureAlgorithm: parseAlgorithmIdentifier(new DerReader(outerAlgorithm.content, "the signature algorithm")),
    signature,
    serialNumber,
    issuer: issuer2,
    subject,
    notBefore,
    notAfter,
    spki,
    extensions,
    tbsHead: tbs.content.subarray(0, headLength),
    ...interpret(extensions)
  };
}
function parseAlgorithmIdentifier(reader) {
  const algorithm = reader.oid("the algorithm");
  const parameters2 = reader.done ? void 0 : reader.any("the parameters").bytes;
  reader.end();
  return { oid: algorithm, parameters: parameters2 };
}
function tbsWithoutExtension(certificate, extensionOid) {
  const kept = certificate.extensions.filter((extension2) => extension2.oid !== extensionOid).map((extension2) => extension2.bytes);
  return derSequence(concatBytes(certificate.tbsHead, derExplicit(3, derSequence(...kept))));
}
function isSelfIssued(certificate) {
  return asBuffer(certificate.issuer).equals(certificate.subject);
}
function parseExtensions(wrapped) {
  const list = wrapped.sequence("the extensions");
  wrapped.end();
  const extensions = [];
  const seen = /* @__PURE__ */ new Set();
  while (!list.done) {
    if (extensions.length === maxExtensions) throw invalid3(`the certificate has more than ${maxExtensions} extensions`);
    const element = list.next(tag.sequence, "an extension");
    const fields = new DerReader(element.content, "an extension");
    const extensionOid = fields.oid("extnID");
    const critical = fields.peekTag() === tag.boolean && fields.boolean("critical");
    if (!critical && fields.peekTag() !== tag.octetString) throw invalid3(`the extension ${extensionOid} spells out critical FALSE, which DER leaves out`);
    const value = fields.octetString("extnValue");
    fields.end();
    if (seen.has(extensionOid)) throw invalid3(`the certificate has the extension ${extensionOid} twice`);
    seen.add(extensionOid);
    extensions.push({ oid: extensionOid, critical, value, bytes: element.bytes });
  }
  if (extensions.length === 0) throw invalid3("the list of extensions is empty");
  return extensions;
}
function interpret(extensions) {
  let basicConstraints;
  let keyUsage;
  let extendedKeyUsage;
  let subjectKeyIdentifier;
  let authorityKeyIdentifier;
  let subjectAlternativeNames = [];
  let subjectAlternativeNameCritical = false;
  let embeddedScts;
  const sigstore = {};
  const unknownCritical = [];
  for (const extension2 of extensions) {
    const { value } = extension2;
    switch (extension2.oid) {
      case oid.basicConstraints:
        basicConstraints = parseBasicConstraints(value);
        break;
      case oid.keyUsage:
        keyUsage = parseKeyUsage(value);
        break;
      case oid.extendedKeyUsage:
        extendedKeyUsage = parseExtendedKeyUsage(value);
        break;
      case oid.subjectKeyIdentifier:
        subjectKeyIdentifier = parseSubjectKeyIdentifier(value);
        break;
      case oid.authorityKeyIdentifier:
        authorityKeyIdentifier = parseAuthorityKeyIdentifier(value);
        break;
      case oid.subjectAlternativeName:
        subjectAlternativeNames = parseGeneralNames(value);
        subjectAlternativeNameCritical = extension2.critical;
        break;
      case oid.embeddedScts:
        embeddedScts = value;
        break;
      default: {
        const name = sigstoreExtensionName(extension2.oid);
        if (name !== void 0) sigstore[name] = parseSigstoreExtension(name, value);
        else if (extension2.critical) unknownCritical.push(extension2.oid);
      }
    }
  }
  return {
    basicConstraints,
    keyUsage,
    extendedKeyUsage,
    subjectKeyIdentifier,
    authorityKeyIdentifier,
    subjectAlternativeNames,
    subjectAlternativeNameCritical,
    sigstore,
    embeddedScts,
    unknownCritical
  };
}
function invalid3(message) {
  return new DecodingError("CERTIFICATE_INVALID", message);
}

// bench/places.ts
import path from "node:path";
var projectRoot = path.resolve(import.meta.dirname, "..");
var publicData = path.resolve(projectRoot, "../shared/data");
function publicPath(...parts) {
  return path.join(publicData, ...parts);
}

// bench/bundle-case.ts
function publicCases() {
  const roots = /* @__PURE__ */ new Map();
  const rootOf2 = (file) => {
    const known2 = roots.get(file) ?? { json: readFileSync(file) };
    roots.set(file, known2);
    return known2;
  };
  return [...conformanceCases(rootOf2), ...publicBundles(rootOf2)];
}
var suiteIdentity = {
  kind: "identity",
  subjectAlternativeName: "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main",
  issuer: "https://token.actions.githubusercontent.com"
};
function conformanceCases(rootOf2) {
  const folder = publicPath("conformance", "bundle-verify");
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.endsWith("_fail")).map(({ name }) => {
    const own = (file, fallback) => existsSync(path2.join(folder, name, file)) ? path2.join(folder, name, file) : fallback;
    const text = (file, fallback) => own(file, "") === "" ? fallback : readFileSync(own(file, ""), "utf8").trim();
    const pem = text("key.pub", "");
    return {
      name,
      json: readFileSync(path2.join(folder, name, "bundle.sigstore.json")),
      trustedRoot: rootOf2(own("trusted_root.json", publicRoot())),
      artifact: { kind: "bytes", bytes: readFileSync(own("artifact", path2.join(folder, "a.txt"))) },
      signer: pem === "" ? { kind: "identity", subjectAlternativeName: text("identity", suiteIdentity.subjectAlternativeName), issuer: text("issuer", suiteIdentity.issuer) } : { kind: "key", pem }
    };
  });
}
function publicBundles(rootOf2) {
  const folder = publicPath("bundles");
  const sha512 = "7bea9f6e7ff37f5fab0b36bf061200fff03099fd2fd696b91d04bc5e4f225eb9fd6e0cadcad54ba980f43fb352a99e8810b4e0abeb5c0ef2cf9108cd1f258b36";
  return readdirSync(folder).map((file) => {
    const json = readFileSync(path2.join(folder, file));
    return {
      name: path2.parse(file).name,
      json,
      trustedRoot: rootOf2(publicRoot()),
      artifact: { kind: "digest", algorithm: "sha512", digest: Buffer.from(sha512, "hex") },
      signer: identityIn(json)
    };
  });
}
function identityIn(json) {
  const { keyMaterial: keyMaterial2 } = parseBundle(json);
  if (keyMaterial2.kind !== "certificate") throw new Error("a bundle with a certificate was expected");
  const certificate = parseCertificate(keyMaterial2.leaf);
  return { kind: "identity", subjectAlternativeName: certificate.subjectAlternativeNames[0]?.value ?? "", issuer: issuerOf(certificate.sigstore) ?? "" };
}
function publicRoot() {
  return publicPath("trust", "public-good.trusted_root.json");
}

// bench/universe-bundles.ts
import { randomBytes as randomBytes4 } from "node:crypto";

// test/support/universe/keys.ts
import { generateKeyPairSync, sign } from "node:crypto";
var pools = /* @__PURE__ */ new Map();
function newKey(kind = "p256") {
  const { privateKey, publicKey } = generate(kind);
  return {
    kind,
    privateKey,
    publicKey,
    spki: publicKey.export({ type: "spki", format: "der" }),
    pem: publicKey.export({ type: "spki", format: "pem" }).toString()
  };
}
function namedKey(name, kind = "p256") {
  const key = pools.get(`${kind} ${name}`) ?? newKey(kind);
  pools.set(`${kind} ${name}`, key);
  return key;
}
var usualDigests = { p256: "sha256", p384: "sha384", p521: "sha512", rsa: "sha256", ed25519: null };
function signWith(key, data, digest2 = usualDigests[key.kind]) {
  return sign(digest2, data, key.privateKey);
}
function keyDetailsOf(kind) {
  const details = {
    p256: "PKIX_ECDSA_P256_SHA_256",
    p384: "PKIX_ECDSA_P384_SHA_384",
    p521: "PKIX_ECDSA_P521_SHA_512",
    rsa: "PKIX_RSA_PKCS1V15_2048_SHA256",
    ed25519: "PKIX_ED25519"
  };
  return details[kind];
}
function generate(kind) {
  if (kind === "rsa") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  if (kind === "ed25519") return generateKeyPairSync("ed25519");
  return generateKeyPairSync("ec", { namedCurve: { p256: "P-256", p384: "P-384", p521: "P-521" }[kind] });
}

// test/support/universe/universe.ts
init_bytes();
import { createHash as createHash5 } from "node:crypto";

// test/support/universe/certificates.ts
init_bytes();
import { createHash as createHash2, randomBytes } from "node:crypto";

// src/encoding/tls.ts
init_error();
init_bytes();
var TlsReader = class {
  #bytes;
  #what;
  #code;
  #at = 0;
  /** @param what names the bytes in error messages; `code` is the code of those errors */
  constructor(bytes, what, code = "ENCODING_INVALID") {
    this.#bytes = bytes;
    this.#what = what;
    this.#code = code;
  }
  /** Whether everything was read. */
  get done() {
    return this.#at === this.#bytes.length;
  }
  /** An unsigned big-endian number of 1 to 6 bytes. */
  uint(size) {
    let value = 0;
    for (const byte of this.take(size)) value = value * 256 + byte;
    return value;
  }
  /** An unsigned big-endian number of 8 bytes. */
  uint64() {
    const high = this.uint(4);
    return BigInt(high) << 32n | BigInt(this.uint(4));
  }
  /** The next `length` bytes, not copied. */
  take(length) {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      const left = this.#bytes.length - this.#at;
      throw new DecodingError(this.#code, `${this.#what} ends early: ${length} more bytes were expected, ${left} are left`);
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
  /** A vector `<0..2^(8*lengthSize)-1>`: its length in `lengthSize` bytes, then its bytes. */
  opaque(lengthSize) {
    return this.take(this.uint(lengthSize));
  }
  /** Demands that everything was read. */
  end() {
    if (!this.done) {
      throw new DecodingError(this.#code, `${this.#what} has ${this.#bytes.length - this.#at} bytes after its end`);
    }
  }
};
function tlsUint(value, size) {
  const bytes = new Uint8Array(size);
  let rest = BigInt(value);
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  if (rest !== 0n) throw new DecodingError("ENCODING_INVALID", `${value} does not fit in ${size} bytes`);
  return bytes;
}
function tlsOpaque(bytes, lengthSize) {
  return concatBytes(tlsUint(bytes.length, lengthSize), bytes);
}

// test/support/universe/certificates.ts
var sigstoreArc = "1.3.6.1.4.1.57264.1";
var codeSigning = "1.3.6.1.5.5.7.3.3";
var timeStamping = "1.3.6.1.5.5.7.3.8";
function issue(options, issuer2) {
  const signer = issuer2?.key ?? options.key;
  const subjectKeyIdentifier = createHash2("sha1").update(options.key.spki).digest();
  const extensions = [
    ...baseExtensions(options, subjectKeyIdentifier, options.authorityKeyIdentifier ?? issuer2?.subjectKeyIdentifier),
    ...sigstoreExtensions(options.sigstore ?? {}),
    ...options.extensions ?? []
  ];
  const algorithm = certificateAlgorithm(signer.kind);
  const head = [
    derExplicit(0, derInteger(2)),
    derInteger(concatBytes(Uint8Array.of(64), randomBytes(18))),
    algorithm,
    distinguishedName(issuer2?.name ?? options.name ?? ""),
    derSequence(derTime(options.notBefore), derTime(options.notAfter)),
    distinguishedName(options.name ?? ""),
    options.key.spki
  ];
  const tbsWith = (all) => derSequence(...head, derExplicit(3, derSequence(...all)));
  const scts = (options.scts ?? []).map((sct) => serialiseSct(sct, sct.issuerSpki ?? signer.spki, tbsWith(extensions)));
  const tbs = tbsWith(scts.length === 0 ? extensions : [...extensions, sctExtension(scts)]);
  const der = derSequence(tbs, algorithm, derBitString(signWith(signer, tbs)));
  return { der, key: options.key, name: options.name ?? "", subjectKeyIdentifier };
}
function extension(oid2, value, critical = false) {
  return derSequence(derOid(oid2), ...critical ? [derBoolean(true)] : [], derOctetString(value));
}
function pemOf(der, label = "CERTIFICATE") {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----
${lines.join("\n")}
-----END ${label}-----
`;
}
function distinguishedName(name) {
  if (name === "") return derSequence();
  const attribute = (oid2, text) => derSet(derSequence(derOid(oid2), derUtf8String(text)));
  return derSequence(attribute("2.5.4.10", "universe.test"), attribute("2.5.4.3", name));
}
function certificateAlgorithm(kind) {
  const oids3 = {
    p256: "1.2.840.10045.4.3.2",
    p384: "1.2.840.10045.4.3.3",
    p521: "1.2.840.10045.4.3.4",
    rsa: "1.2.840.113549.1.1.11",
    ed25519: "1.3.101.112"
  };
  return kind === "rsa" ? derSequence(derOid(oids3[kind]), derNull()) : derSequence(derOid(oids3[kind]));
}
function serialiseSct(sct, issuerSpki, tbs) {
  return finishSct(sct, concatBytes(tlsUint(1, 2), createHash2("sha256").update(issuerSpki).digest(), tlsOpaque(tbs, 3)));
}
function finishSct(sct, entry) {
  const extensions = tlsOpaque(sct.extensions ?? new Uint8Array(0), 2);
  const signed = concatBytes(Uint8Array.of(0, 0), tlsUint(sct.time, 8), entry, extensions);
  const signature = signWith(sct.signer ?? sct.log, signed, "sha256");
  const algorithm = Uint8Array.of(4, sct.log.kind === "rsa" ? 1 : 3);
  const logId = createHash2("sha256").update(sct.log.spki).digest();
  return concatBytes(Uint8Array.of(0), logId, tlsUint(sct.time, 8), extensions, algorithm, tlsOpaque(signature, 2));
}
function sctExtension(scts) {
  const list = tlsOpaque(concatBytes(...scts.map((sct) => tlsOpaque(sct, 2))), 2);
  return extension("1.3.6.1.4.1.11129.2.4.2", derOctetString(list));
}
function baseExtensions(options, ski, aki) {
  const extensions = [];
  const keyUsage = options.keyUsage ?? (options.ca === true ? [5, 6] : [0]);
  if (keyUsage !== "none") extensions.push(extension("2.5.29.15", derNamedBits(...keyUsage), true));
  const purposes = options.extendedKeyUsage ?? (options.ca === true ? "none" : [codeSigning]);
  if (purposes !== "none") {
    extensions.push(extension("2.5.29.37", derSequence(...purposes.map(derOid)), options.extendedKeyUsageCritical === true));
  }
  if (options.ca === true) {
    const length = options.pathLength === void 0 ? [] : [derInteger(options.pathLength)];
    extensions.push(extension("2.5.29.19", derSequence(derBoolean(true), ...length), true));
  }
  extensions.push(extension("2.5.29.14", derOctetString(ski)));
  if (aki !== void 0) extensions.push(extension("2.5.29.35", derSequence(derImplicit(0, aki))));
  const subjects = options.subjects ?? [];
  if (subjects.length > 0) {
    const critical = options.subjectsCritical ?? (options.name ?? "") === "";
    extensions.push(extension("2.5.29.17", derSequence(...subjects.map(generalName)), critical));
  }
  return extensions;
}
function generalName(subject) {
  if ("email" in subject) return derImplicit(1, encodeUtf8(subject.email));
  if ("uri" in subject) return derImplicit(6, encodeUtf8(subject.uri));
  if ("dns" in subject) return derImplicit(2, encodeUtf8(subject.dns));
  return derElement(160, concatBytes(derOid(`${sigstoreArc}.7`), derExplicit(0, derUtf8String(subject.username))));
}
function sigstoreExtensions(values) {
  return Object.entries(values).map(
    ([number, text]) => extension(`${sigstoreArc}.${number}`, Number(number) <= 6 ? encodeUtf8(text) : derUtf8String(text))
  );
}

// test/support/universe/logs.ts
init_bytes();
import { createHash as createHash3, randomBytes as randomBytes2 } from "node:crypto";
var base64 = (bytes) => Buffer.from(bytes).toString("base64");
var sha256 = (...parts) => createHash3("sha256").update(concatBytes(...parts)).digest();
function rekorV1(key, baseUrl = "https://rekor.universe.test") {
  return { key, baseUrl, generation: "v1", logId: sha256(key.spki) };
}
function rekorV2(key, baseUrl = "https://log1.universe.test") {
  return { key, baseUrl, generation: "v2", logId: noteKeyHash(key, new URL(baseUrl).hostname) };
}
function logEntry(log, body, options = {}) {
  const text = typeof body === "string" ? body : canonical(body);
  const bytes = encodeUtf8(text);
  const parsed = JSON.parse(text);
  const treeSize2 = options.treeSize ?? 7;
  const leafIndex = options.leafIndex ?? 3;
  const integratedTime = options.integratedTime ?? 0;
  const logIndex = log.generation === "v2" ? leafIndex : options.logIndex ?? leafIndex + 1e6;
  const tree = treeAround(bytes, treeSize2, leafIndex);
  const withPromise = options.withPromise ?? log.generation === "v1";
  const withProof = options.withProof ?? true;
  return {
    logIndex: String(logIndex),
    logId: { keyId: base64(log.logId) },
    kindVersion: { kind: options.kind ?? parsed.kind, version: options.version ?? parsed.apiVersion },
    ...log.generation === "v1" ? { integratedTime: String(integratedTime) } : {},
    ...withPromise ? { inclusionPromise: { signedEntryTimestamp: base64(promise(log, bytes, integratedTime, logIndex, options.signer)) } } : {},
    ...withProof ? {
      inclusionProof: {
        logIndex: String(leafIndex),
        rootHash: base64(tree.root),
        treeSize: String(treeSize2),
        hashes: tree.proof.map(base64),
        ...options.withCheckpoint ?? true ? { checkpoint: { envelope: checkpoint(log, treeSize2, tree.root, options) } } : {}
      }
    } : {},
    canonicalizedBody: base64(bytes)
  };
}
function signatureLine(name, keyHash, signature) {
  return `\u2014 ${name} ${base64(concatBytes(keyHash.subarray(0, 4), signature))}
`;
}
function noteKeyHash(key, name) {
  if (key.kind === "ed25519") return sha256(encodeUtf8(`${name}
`), Uint8Array.of(1), key.spki.subarray(-32));
  if (key.kind === "rsa") return sha256(encodeUtf8(`${name}
`), Uint8Array.of(255), encodeUtf8("PKIX-RSA-PKCS#1v1.5"), key.spki);
  return sha256(key.spki);
}
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
}
function promise(log, body, integratedTime, logIndex, signer = log.key) {
  const signed = canonical({ body: base64(body), integratedTime, logID: Buffer.from(log.logId).toString("hex"), logIndex });
  return signWith(signer, encodeUtf8(signed));
}
function checkpoint(log, size, root, options) {
  const host = new URL(log.baseUrl).hostname;
  const origin = options.origin ?? (log.generation === "v1" ? `${host} - 1193050959916656506` : host);
  const text = [origin, String(size), base64(root), ...options.checkpointLines ?? [], ""].join("\n");
  const name = options.signerName ?? host;
  const keyHash = log.generation === "v1" ? sha256(log.key.spki) : noteKeyHash(log.key, host);
  const line = signatureLine(name, keyHash, signWith(options.signer ?? log.key, encodeUtf8(text)));
  return `${text}
${(options.linesBefore ?? []).join("")}${line}${(options.linesAfter ?? []).join("")}`;
}
function treeAround(body, size, index) {
  const leaves = Array.from({ length: size }, (_, at) => at === index ? sha256(Uint8Array.of(0), body) : randomBytes2(32));
  return { root: rootOf(leaves), proof: pathOf(index, leaves) };
}
function rootOf(leaves) {
  const [only] = leaves;
  if (only !== void 0 && leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  return sha256(Uint8Array.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}
function pathOf(index, leaves) {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  return index < split ? [...pathOf(index, leaves.slice(0, split)), rootOf(leaves.slice(split))] : [...pathOf(index - split, leaves.slice(split)), rootOf(leaves.slice(0, split))];
}
function splitOf(size) {
  return 2 ** Math.ceil(Math.log2(size) - 1);
}

// test/support/universe/timestamps.ts
init_bytes();
import { createHash as createHash4, randomBytes as randomBytes3 } from "node:crypto";
var digestOids = { sha1: "1.3.14.3.2.26", sha256: "2.16.840.1.101.3.4.2.1", sha384: "2.16.840.1.101.3.4.2.2", sha512: "2.16.840.1.101.3.4.2.3" };
var signedData = "1.2.840.113549.1.7.2";
var tstInfo = "1.2.840.113549.1.9.16.1.4";
function timestamp(stamped, signer, options) {
  const digestOf2 = (name, bytes) => createHash4(name).update(bytes).digest();
  const algorithm = (name) => derSequence(derOid(digestOids[name]), derNull());
  const imprint = options.imprint ?? "sha256";
  const info = derSequence(
    derInteger(1),
    derOid("1.3.6.1.4.1.57264.2"),
    derSequence(algorithm(imprint), derOctetString(digestOf2(imprint, stamped))),
    derInteger(randomBytes3(12)),
    derGeneralizedTime(options.genTime),
    derSequence(derInteger(1)),
    ...options.nonce === void 0 ? [] : [derInteger(options.nonce)]
  );
  const digest2 = usualDigest(signer);
  const named = options.names ?? signer;
  const certHash = options.wrongCertificateHash === true ? randomBytes3(32) : digestOf2("sha256", named.der);
  const attribute = (oid2, value) => derSequence(derOid(oid2), derSet(value));
  const attributes = derSet(
    attribute("1.2.840.113549.1.9.3", derOid(options.contentType ?? tstInfo)),
    attribute("1.2.840.113549.1.9.4", derOctetString(options.wrongMessageDigest === true ? randomBytes3(32) : digestOf2(digest2, info))),
    ...options.withoutCertificateHash === true ? [] : [attribute("1.2.840.113549.1.9.16.2.47", derSequence(derSequence(derSequence(derOctetString(certHash)))))]
  );
  const signerInfo = derSequence(
    derInteger(1),
    derSequence(options.issuerName, serialNumberOf(named.der)),
    algorithm(digest2),
    concatBytes(Uint8Array.of(160), attributes.subarray(1)),
    certificateAlgorithm(signer.key.kind),
    derOctetString(signWith(signer.key, attributes))
  );
  const certificates = options.certificates ?? [];
  const data = derSequence(
    derInteger(3),
    derSet(algorithm(digest2)),
    derSequence(derOid(tstInfo), derExplicit(0, derOctetString(info))),
    ...certificates.length === 0 ? [] : [derElement(160, concatBytes(...certificates))],
    derSet(signerInfo)
  );
  return derSequence(derSequence(derInteger(options.status ?? 0)), derSequence(derOid(signedData), derExplicit(0, data)));
}
function usualDigest(signer) {
  return signer.key.kind === "p384" ? "sha384" : signer.key.kind === "p521" ? "sha512" : "sha256";
}
function serialNumberOf(certificate) {
  const tbs = contentOf(contentOf(certificate));
  const versionEnd = 2 + (tbs[1] ?? 0);
  return tbs.subarray(versionEnd, versionEnd + 2 + (tbs[versionEnd + 1] ?? 0));
}
function contentOf(element) {
  const first = element[1] ?? 0;
  return element.subarray(first < 128 ? 2 : 2 + (first & 127));
}

// test/support/universe/universe.ts
var epoch = Date.UTC(2026, 0, 15, 12, 0, 0);
var minute = 6e4;
var day = 24 * 60 * minute;
var year = 365 * day;
var identity = "https://github.com/universe/app/.github/workflows/release.yml@refs/heads/main";
var issuer = "https://token.actions.universe.test";
var artifactBytes = encodeUtf8("an artifact of the universe\n");
var predicateType = "https://slsa.dev/provenance/v1";
var base642 = (bytes) => Buffer.from(bytes).toString("base64");
var sha = (algorithm, ...parts) => createHash5(algorithm).update(concatBytes(...parts)).digest();
var iso = (instant2) => new Date(instant2).toISOString();
var universes = /* @__PURE__ */ new Map();
function universeOf(options = {}) {
  const known2 = universes.get(JSON.stringify(options));
  if (known2 !== void 0) return known2;
  const made = createUniverse(options);
  universes.set(JSON.stringify(options), made);
  return made;
}
function createUniverse(options) {
  const key = (role, kind) => namedKey(`${options.name ?? ""} ${role}`, kind);
  const validity = { notBefore: epoch - year, notAfter: epoch + 9 * year };
  const root = issue({ key: key("root", options.rootKey ?? "p384"), name: "root", ca: true, ...validity });
  const intermediate = issue(
    { key: key("intermediate", options.issuingKey ?? "p384"), name: "intermediate", ca: true, pathLength: 0, extendedKeyUsage: [codeSigning], ...validity },
    root
  );
  const ctLog = key("ct log", options.ctKey ?? "p256");
  const rekor = rekorV1(key("rekor", options.logKey ?? "p256"));
  const tiles = rekorV2(key("tiles", "ed25519"));
  const timestampRoot = issue({ key: key("tsa root", "p384"), name: "tsa-root", ca: true, ...validity });
  const timestampLeaf = issue(
    { key: key("tsa", options.timestampKey ?? "p256"), name: "tsa", extendedKeyUsage: [timeStamping], extendedKeyUsageCritical: true, ...validity },
    timestampRoot
  );
  const validFor = () => ({ start: iso(epoch - year) });
  const instance = (log) => ({
    baseUrl: log.baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: base642(log.key.spki), keyDetails: keyDetailsOf(log.key.kind), validFor: validFor() },
    logId: { keyId: base642(log.logId) }
  });
  const authority = (commonName, chain) => ({
    subject: { organization: "universe.test", commonName },
    uri: `https://${commonName}.universe.test`,
    certChain: { certificates: chain.map(({ der }) => ({ rawBytes: base642(der) })) },
    validFor: validFor()
  });
  return {
    root,
    intermediate,
    ctLog,
    rekor,
    tiles,
    timestampRoot,
    timestampLeaf,
    trustedRoot(bend) {
      const json = {
        mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        tlogs: [instance(rekor), instance(tiles)],
        certificateAuthorities: [authority("fulcio", [intermediate, root])],
        ctlogs: [
          {
            baseUrl: "https://ct.universe.test",
            hashAlgorithm: "SHA2_256",
            publicKey: { rawBytes: base642(ctLog.spki), keyDetails: keyDetailsOf(ctLog.kind), validFor: validFor() },
            logId: { keyId: base642(sha("sha256", ctLog.spki)) }
          }
        ],
        timestampAuthorities: [authority("tsa", [timestampLeaf, timestampRoot])]
      };
      bend?.(json);
      return JSON.stringify(json);
    }
  };
}
function signBlob(options = {}, artifact = artifactBytes) {
  const key = options.key ?? namedKey("signer");
  const digestAlgorithm2 = options.digest ?? usualDigest2(key);
  const signature = signWith(key, artifact, key.kind === "ed25519" ? null : digestAlgorithm2);
  const logged = { signature, digest: sha(digestAlgorithm2, artifact), digestAlgorithm: digestAlgorithm2 };
  const kind = options.messageKind ?? "hashedrekord";
  const content = {
    messageSignature: { messageDigest: { algorithm: digestAlgorithm2.replace("sha", "SHA2_"), digest: base642(logged.digest) }, signature: base642(signature) }
  };
  return assemble(options, artifact, key, content, logged, (parts, log) => log === "v2" ? bodyV2(parts) : kind === "rekord" ? rekordBody(parts) : hashedrekordBody(parts));
}
function statementAbout(artifact = artifactBytes, bend = {}) {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: Buffer.from(sha("sha256", artifact)).toString("hex") } }],
    predicateType,
    predicate: { buildDefinition: {} },
    ...bend
  };
}
function signStatement(options = {}, artifact = artifactBytes) {
  const key = options.key ?? namedKey("signer");
  const statement = options.statement ?? statementAbout(artifact);
  const payload = encodeUtf8(typeof statement === "string" ? statement : JSON.stringify(statement));
  const payloadType = options.payloadType ?? "application/vnd.in-toto+json";
  const pae = concatBytes(encodeUtf8(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload);
  const digestAlgorithm2 = options.digest ?? usualDigest2(key);
  const signature = signWith(key, pae, key.kind === "ed25519" ? null : digestAlgorithm2);
  const kind = options.attestationKind ?? (options.log === "v2" ? "hashedrekord 0.0.2" : "dsse 0.0.1");
  const hashed = kind === "hashedrekord 0.0.2" ? pae : payload;
  const entryDigest = kind === "hashedrekord 0.0.2" ? digestAlgorithm2 : "sha256";
  const logged = { signature, digest: sha(entryDigest, hashed), digestAlgorithm: entryDigest };
  const content = {
    dsseEnvelope: { payload: base642(payload), payloadType, signatures: [{ sig: base642(signature), ...options.keyid === void 0 ? {} : { keyid: options.keyid } }] }
  };
  return assemble(options, artifact, key, content, logged, (parts) => {
    if (kind === "hashedrekord 0.0.2") return bodyV2(parts);
    if (kind === "dsse 0.0.2") return dsseBodyV2(parts);
    return kind === "intoto 0.0.2" ? intotoBody(parts, payloadType) : dsseBody(parts);
  });
}
function issueLeaf(options = {}) {
  const universe = options.universe ?? universeOf();
  const oidcIssuer = options.oidcIssuer ?? issuer;
  const by = options.issuedBy ?? universe.intermediate;
  const scts = (options.scts ?? [{}]).map((sct) => ({ log: universe.ctLog, time: epoch + 1e3, ...sct }));
  return issue(
    {
      key: options.key ?? namedKey("signer"),
      notBefore: epoch,
      notAfter: epoch + 10 * minute,
      subjects: options.subjects ?? [{ uri: identity }],
      sigstore: { 1: oidcIssuer, 8: oidcIssuer },
      scts,
      ...options.certificate
    },
    by
  );
}
function assemble(options, artifact, key, content, logged, bodyOf) {
  const universe = options.universe ?? universeOf();
  const version = options.version ?? "0.3";
  const leaf = options.managed === true ? void 0 : issueLeaf({ ...options, universe, key });
  const log = options.log ?? "v1";
  const parts = {
    ...logged,
    verifier: leaf?.der ?? key.spki,
    verifierKind: leaf === void 0 ? "public-key" : "certificate",
    keyDetails: keyDetailsOf(key.kind)
  };
  const body = options.body ?? bodyOf(options.bendBody?.(parts) ?? parts, log === "v2" ? "v2" : "v1");
  const entryOptions = { integratedTime: (epoch + minute) / 1e3, ...options.entry };
  const entries = log === "none" ? [] : [logEntry(log === "v1" ? universe.rekor : universe.tiles, body, entryOptions)];
  const tokens = (options.timestamps ?? (log === "v2" ? [{}] : [])).map(
    ({ over, signer, ...rest }) => timestamp(over ?? logged.signature, signer ?? universe.timestampLeaf, { genTime: epoch + minute, issuerName: distinguishedName("tsa-root"), ...rest })
  );
  const bundle = {
    mediaType: options.oldMediaType === true ? `application/vnd.dev.sigstore.bundle+json;version=${version}` : `application/vnd.dev.sigstore.bundle.v${version}+json`,
    verificationMaterial: {
      ...keyMaterial(options, version, leaf, key),
      ...entries.length === 0 ? {} : { tlogEntries: entries },
      ...tokens.length === 0 ? {} : { timestampVerificationData: { rfc3161Timestamps: tokens.map((token) => ({ signedTimestamp: base642(token) })) } }
    },
    ...content
  };
  return { bundle, json: JSON.stringify(bundle), universe, artifact, key, certificate: leaf?.der ?? new Uint8Array(0), signature: logged.signature, tokens };
}
function keyMaterial(options, version, leaf, key) {
  if (leaf === void 0) return { publicKey: { hint: options.hint ?? base642(sha("sha256", key.spki)) } };
  const certificate = { rawBytes: base642(leaf.der) };
  if (version === "0.3" && options.chain === void 0) return { certificate };
  return { x509CertificateChain: { certificates: [certificate, ...(options.chain ?? []).map((der) => ({ rawBytes: base642(der) }))] } };
}
function usualDigest2(key) {
  return key.kind === "p384" ? "sha384" : key.kind === "p521" ? "sha512" : "sha256";
}
function pemVerifier({ verifier, verifierKind }) {
  return base642(encodeUtf8(pemOf(verifier, verifierKind === "certificate" ? "CERTIFICATE" : "PUBLIC KEY")));
}
function hexDigest({ digest: digest2, digestAlgorithm: digestAlgorithm2 }) {
  return { algorithm: digestAlgorithm2, value: Buffer.from(digest2).toString("hex") };
}
function hashedrekordBody(parts) {
  return {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: { data: { hash: hexDigest(parts) }, signature: { content: base642(parts.signature), publicKey: { content: pemVerifier(parts) } } }
  };
}
function rekordBody(parts) {
  return {
    apiVersion: "0.0.1",
    kind: "rekord",
    spec: { data: { hash: hexDigest(parts) }, signature: { format: "x509", content: base642(parts.signature), publicKey: { content: pemVerifier(parts) } } }
  };
}
function dsseBody(parts) {
  return {
    apiVersion: "0.0.1",
    kind: "dsse",
    spec: {
      envelopeHash: { algorithm: "sha256", value: "00".repeat(32) },
      payloadHash: hexDigest(parts),
      signatures: [{ signature: base642(parts.signature), verifier: pemVerifier(parts) }]
    }
  };
}
function intotoBody(parts, payloadType) {
  return {
    apiVersion: "0.0.2",
    kind: "intoto",
    spec: {
      content: {
        envelope: { payloadType, signatures: [{ publicKey: pemVerifier(parts), sig: base642(encodeUtf8(base642(parts.signature))) }] },
        hash: { algorithm: "sha256", value: "00".repeat(32) },
        payloadHash: hexDigest(parts)
      }
    }
  };
}
function protobufVerifier({ verifier, verifierKind, keyDetails: keyDetails2 }) {
  return { keyDetails: keyDetails2, [verifierKind === "certificate" ? "x509Certificate" : "publicKey"]: { rawBytes: base642(verifier) } };
}
function protobufDigest({ digest: digest2, digestAlgorithm: digestAlgorithm2 }) {
  return { algorithm: digestAlgorithm2.replace("sha", "SHA2_"), digest: base642(digest2) };
}
function bodyV2(parts) {
  return {
    apiVersion: "0.0.2",
    kind: "hashedrekord",
    spec: { hashedRekordV002: { data: protobufDigest(parts), signature: { content: base642(parts.signature), verifier: protobufVerifier(parts) } } }
  };
}
function dsseBodyV2(parts) {
  return {
    apiVersion: "0.0.2",
    kind: "dsse",
    spec: { dsseV002: { payloadHash: protobufDigest(parts), signatures: [{ content: base642(parts.signature), verifier: protobufVerifier(parts) }] } }
  };
}

// bench/universe-bundles.ts
var artifactSize = 1024;
var treeSize = 1024;
var attestationEvery = 4;
function universeSets(count) {
  const trustedRoot = { json: Buffer.from(universeOf().trustedRoot()) };
  return ["v1", "v2"].map((log) => ({
    name: `universe, Rekor ${log}`,
    cases: Array.from({ length: count }, (_, index) => caseOf(log, index, trustedRoot))
  }));
}
function caseOf(log, index, trustedRoot) {
  const isAttestation = log === "v1" && index % attestationEvery === 0;
  const signed = sign2(log, index, isAttestation);
  return {
    name: `${isAttestation ? "attestation" : "signature"} ${index} in Rekor ${log}`,
    json: Buffer.from(signed.json),
    trustedRoot,
    artifact: { kind: "bytes", bytes: signed.artifact },
    signer: { kind: "identity", subjectAlternativeName: identity, issuer }
  };
}
function sign2(log, index, isAttestation) {
  const options = { log, key: newKey("p256"), certificate: { sigstore: workflowExtensions }, entry: { treeSize, leafIndex: index % treeSize } };
  return (isAttestation ? signStatement : signBlob)(options, randomBytes4(artifactSize));
}
var workflowExtensions = {
  1: issuer,
  2: "push",
  3: "c0".repeat(20),
  4: "Release",
  5: "universe/app",
  6: "refs/heads/main",
  8: issuer,
  9: identity,
  10: "c0".repeat(20),
  11: "github-hosted",
  12: "https://github.com/universe/app",
  13: "c0".repeat(20),
  14: "refs/heads/main",
  15: "123456789",
  16: "https://github.com/universe",
  17: "12345678",
  18: identity,
  19: "c0".repeat(20),
  20: "push",
  21: "https://github.com/universe/app/actions/runs/1234567890/attempts/1",
  22: "public"
};

// src/crypto/public-key.ts
import { createPublicKey } from "node:crypto";
init_bytes();
init_error();
var ecPublicKey = "1.2.840.10045.2.1";
var rsaEncryption = "1.2.840.113549.1.1.1";
var ed25519 = "1.3.101.112";
var curves = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521"
};
var coordinateLengths = { "P-256": 32, "P-384": 48, "P-521": 66 };
var maxSpkiBytes = 2048;
function parsePublicKey(spki) {
  if (spki.length > maxSpkiBytes) throw invalid4(`the public key is ${spki.length} bytes long, more than the limit of ${maxSpkiBytes}`);
  try {
    return parseSpki(spki);
  } catch (cause) {
    if (cause instanceof DecodingError && cause.code === "DER_INVALID") throw new DecodingError("KEY_INVALID", cause.message, { cause });
    throw cause;
  }
}
function parsePkcs1PublicKey(der) {
  return parsePublicKey(derSequence(derSequence(derOid(rsaEncryption), derNull()), derBitString(der)));
}
function parsePublicKeyPem(text) {
  const [block] = parsePem(text, "the public key");
  if (block?.label === "PUBLIC KEY") return parsePublicKey(block.der);
  if (block?.label === "RSA PUBLIC KEY") return parsePkcs1PublicKey(block.der);
  throw invalid4(`expected a PUBLIC KEY, found a ${excerpt(block?.label ?? "")}`);
}
var imported = /* @__PURE__ */ new WeakMap();
function importPublicKey(key) {
  const known2 = imported.get(key);
  if (known2 !== void 0) return known2;
  try {
    const object = key.kind === "ecdsa" ? importPoint(key) : createPublicKey({ key: asBuffer(key.spki), format: "der", type: "spki" });
    imported.set(key, object);
    return object;
  } catch (cause) {
    throw new DecodingError("KEY_INVALID", "the public key is not a valid key of its kind", { cause });
  }
}
function importPoint({ curve, point }) {
  const length = coordinateLengths[curve];
  const x = encodeBase64Url(point.subarray(1, 1 + length));
  const y = encodeBase64Url(point.subarray(1 + length));
  return createPublicKey({ key: { kty: "EC", crv: curve, x, y }, format: "jwk" });
}
function parseSpki(spki) {
  const reader = parseDerSequence(spki, "the public key");
  const algorithm = reader.sequence("the algorithm of the key");
  const kind = algorithm.oid("the kind of key");
  const bits = reader.bitString("the key bits");
  reader.end();
  switch (kind) {
    case ecPublicKey: {
      const curveOid = algorithm.oid("the curve (only named curves are allowed)");
      algorithm.end();
      const curve = curves[curveOid];
      if (curve === void 0) throw unsupported(`keys on the curve ${curveOid} are not supported, only P-256, P-384 and P-521`);
      if (bits[0] !== 4 || bits.length !== 1 + 2 * coordinateLengths[curve]) throw invalid4(`the ${curve} key is not an uncompressed point`);
      return { kind: "ecdsa", curve, point: bits, spki };
    }
    case rsaEncryption:
      algorithm.null("the parameters of the RSA key");
      algorithm.end();
      return { kind: "rsa", modulusBits: checkRsaKey(bits), spki };
    case ed25519:
      algorithm.end();
      if (bits.length !== 32) throw invalid4(`the Ed25519 key has ${bits.length} bytes, expected 32`);
      return { kind: "ed25519", point: bits, spki };
    default:
      throw unsupported(`keys of the kind ${kind} are not supported, only ECDSA, RSA and Ed25519`);
  }
}
function checkRsaKey(bits) {
  const reader = parseDerSequence(bits, "the RSA key");
  const modulus = reader.integer("the modulus");
  const exponent = reader.integer("the exponent");
  reader.end();
  const modulusBits = modulus <= 0n ? 0 : modulus.toString(2).length;
  if (modulusBits < 2048 || modulusBits > 4096) throw unsupported(`RSA keys have 2048 to 4096 bits, found ${modulusBits}`);
  if (exponent < 3n || exponent % 2n === 0n || exponent >= 1n << 64n) throw invalid4("the exponent of the RSA key is not an odd number from 3");
  return modulusBits;
}
function invalid4(message) {
  return new DecodingError("KEY_INVALID", message);
}
function unsupported(message) {
  return new DecodingError("KEY_UNSUPPORTED", message);
}

// src/crypto/signature.ts
import { constants as constants2, verify } from "node:crypto";
init_error();

// src/crypto/ecdsa-digest.ts
init_bytes();
import { createECDH } from "node:crypto";
var parameters = {
  "P-256": {
    name: "prime256v1",
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    bytes: 32,
    orderBits: 256
  },
  "P-384": {
    name: "secp384r1",
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    bytes: 48,
    orderBits: 384
  },
  "P-521": {
    name: "secp521r1",
    p: (1n << 521n) - 1n,
    n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    bytes: 66,
    orderBits: 521
  }
};
function verifyEcdsaDigest(key, digest2, r, s) {
  const curve = parameters[key.curve];
  const { p, n: n2 } = curve;
  if (r <= 0n || r >= n2 || s <= 0n || s >= n2) return false;
  const w = inverse(s, n2);
  const u1 = leftmostBits(digest2, curve.orderBits) * w % n2;
  const u2 = r * w % n2;
  const sum = pointSum(key, curve, u1, u2);
  if (sum === void 0) return false;
  const { numerator, denominator } = sum;
  if ((r * denominator - numerator) % p === 0n) return true;
  return r + n2 < p && ((r + n2) * denominator - numerator) % p === 0n;
}
function pointSum(key, curve, u1, u2) {
  const { p } = curve;
  const q = { x: toBigint(key.point.subarray(1, 1 + curve.bytes)), y: toBigint(key.point.subarray(1 + curve.bytes)) };
  const a = multiple(key, curve, q, u2);
  if (u1 === 0n) return { numerator: a.x, denominator: 1n };
  const g = baseMultiple(curve, u1);
  const dx = modulo(g.x - a.x, p);
  if (dx !== 0n) {
    const dy = modulo(g.y * a.yd - a.yn, p);
    const scale2 = dx * dx * (a.yd * a.yd) % p;
    return { numerator: modulo(dy * dy - (g.x + a.x) * scale2, p), denominator: scale2 };
  }
  if (modulo(g.y * a.yd - a.yn, p) !== 0n) return void 0;
  const slope = modulo(3n * g.x * g.x - 3n, p);
  const scale = 4n * g.y * g.y % p;
  return { numerator: modulo(slope * slope - 2n * g.x * scale, p), denominator: scale };
}
function multiple(key, { name, n: n2, p, b, bytes }, q, scalar) {
  if (scalar === 1n) return { x: q.x, yn: q.y, yd: 1n };
  if (scalar === n2 - 1n) return { x: q.x, yn: modulo(-q.y, p), yd: 1n };
  const x = xOfMultiple(name, bytes, key.point, scalar);
  const next = xOfMultiple(name, bytes, key.point, scalar + 1n);
  const dx = q.x - x;
  const squared = modulo((next + x + q.x) * dx * dx, p);
  return { x, yn: modulo(q.y * q.y + x * x * x - 3n * x + b - squared, p), yd: 2n * q.y % p };
}
function xOfMultiple(name, bytes, point, scalar) {
  const ecdh = createECDH(name);
  ecdh.setPrivateKey(toHex(scalar, bytes), "hex");
  return toBigint(ecdh.computeSecret(point));
}
function baseMultiple({ name, bytes }, scalar) {
  const ecdh = createECDH(name);
  ecdh.setPrivateKey(toHex(scalar, bytes), "hex");
  const point = ecdh.getPublicKey();
  return { x: toBigint(point.subarray(1, 1 + bytes)), y: toBigint(point.subarray(1 + bytes)) };
}
function leftmostBits(digest2, bits) {
  const value = toBigint(digest2);
  const excess = digest2.length * 8 - bits;
  return excess > 0 ? value >> BigInt(excess) : value;
}
function inverse(value, modulus) {
  let [a, b] = [value, modulus];
  let [x, y] = [1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return modulo(x, modulus);
}
function modulo(value, modulus) {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}
function toBigint(bytes) {
  return bytes.length === 0 ? 0n : BigInt(`0x${asBuffer(bytes).toString("hex")}`);
}
function toHex(value, bytes) {
  return value.toString(16).padStart(2 * bytes, "0");
}

// src/crypto/rsa-digest.ts
init_bytes();
import { constants, publicDecrypt } from "node:crypto";
var oids = {
  sha224: "2.16.840.1.101.3.4.2.4",
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3"
};
function verifyPkcs1Digest(key, algorithm, digest2, signature) {
  const encoded = recover(key, signature);
  if (encoded === void 0) return false;
  const info = derSequence(derSequence(derOid(oids[algorithm]), derNull()), derOctetString(digest2));
  const padding = new Uint8Array(encoded.length - info.length - 3).fill(255);
  return equalBytes(encoded, concatBytes(Uint8Array.of(0, 1), padding, Uint8Array.of(0), info));
}
function verifyPssDigest(key, algorithm, digest2, signature) {
  const recovered = recover(key, signature);
  const modulusBits = key.asymmetricKeyDetails?.modulusLength;
  if (recovered === void 0 || modulusBits === void 0) return false;
  const emBits = modulusBits - 1;
  const emLength = Math.ceil(emBits / 8);
  if (recovered.length > emLength && recovered[0] !== 0) return false;
  const encoded = recovered.subarray(recovered.length - emLength);
  const hashLength = digestLength(algorithm);
  if (emLength < hashLength + 2 || encoded[emLength - 1] !== 188) return false;
  const maskedDb = encoded.subarray(0, emLength - hashLength - 1);
  const h = encoded.subarray(emLength - hashLength - 1, emLength - 1);
  const topBits = 255 >> 8 * emLength - emBits;
  if (((maskedDb[0] ?? 0) & ~topBits & 255) !== 0) return false;
  const mask = mgf1(algorithm, h, maskedDb.length);
  const db = maskedDb.map((byte, index) => byte ^ (mask[index] ?? 0));
  db[0] = (db[0] ?? 0) & topBits;
  const separator = db.findIndex((byte) => byte !== 0);
  if (separator < 0 || db[separator] !== 1) return false;
  return equalBytes(digest(algorithm, new Uint8Array(8), digest2, db.subarray(separator + 1)), h);
}
function mgf1(algorithm, seed, length) {
  const blocks = [];
  for (let counter = 0; counter * digestLength(algorithm) < length; counter++) {
    blocks.push(digest(algorithm, seed, Uint8Array.of(0, 0, counter >> 8, counter & 255)));
  }
  return concatBytes(...blocks).subarray(0, length);
}
function recover(key, signature) {
  try {
    return publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  } catch {
    return void 0;
  }
}

// src/crypto/signature-algorithm.ts
init_bytes();
init_error();
function defaultSignatureAlgorithm(key) {
  switch (key.kind) {
    case "ecdsa":
      return key.curve === "P-256" ? "ecdsa-sha256" : key.curve === "P-384" ? "ecdsa-sha384" : "ecdsa-sha512";
    case "rsa":
      return "rsa-pkcs1-sha256";
    case "ed25519":
      return "ed25519";
  }
}
var digests = {
  "ecdsa-sha224": "sha224",
  "ecdsa-sha256": "sha256",
  "ecdsa-sha384": "sha384",
  "ecdsa-sha512": "sha512",
  "rsa-pkcs1-sha256": "sha256",
  "rsa-pkcs1-sha384": "sha384",
  "rsa-pkcs1-sha512": "sha512",
  "rsa-pss-sha256": "sha256",
  "rsa-pss-sha384": "sha384",
  "rsa-pss-sha512": "sha512",
  ed25519: void 0,
  ed25519ph: "sha512"
};
function digestOf(algorithm) {
  return digests[algorithm];
}
var keyDetails = {
  PKIX_ECDSA_P256_SHA_256: ["ecdsa", "P-256", "ecdsa-sha256"],
  PKIX_ECDSA_P256_HMAC_SHA_256: ["ecdsa", "P-256", "ecdsa-sha256"],
  PKIX_ECDSA_P384_SHA_384: ["ecdsa", "P-384", "ecdsa-sha384"],
  PKIX_ECDSA_P384_SHA_256: ["ecdsa", "P-384", "ecdsa-sha256"],
  PKIX_ECDSA_P521_SHA_512: ["ecdsa", "P-521", "ecdsa-sha512"],
  PKIX_ECDSA_P521_SHA_256: ["ecdsa", "P-521", "ecdsa-sha256"],
  PKIX_RSA_PKCS1V15_2048_SHA256: ["rsa", 2048, "rsa-pkcs1-sha256"],
  PKIX_RSA_PKCS1V15_3072_SHA256: ["rsa", 3072, "rsa-pkcs1-sha256"],
  PKIX_RSA_PKCS1V15_4096_SHA256: ["rsa", 4096, "rsa-pkcs1-sha256"],
  PKIX_RSA_PSS_2048_SHA256: ["rsa", 2048, "rsa-pss-sha256"],
  PKIX_RSA_PSS_3072_SHA256: ["rsa", 3072, "rsa-pss-sha256"],
  PKIX_RSA_PSS_4096_SHA256: ["rsa", 4096, "rsa-pss-sha256"],
  PKCS1_RSA_PKCS1V5: ["rsa", void 0, "rsa-pkcs1-sha256"],
  PKCS1_RSA_PSS: ["rsa", void 0, "rsa-pss-sha256"],
  PKIX_RSA_PKCS1V5: ["rsa", void 0, "rsa-pkcs1-sha256"],
  PKIX_RSA_PSS: ["rsa", void 0, "rsa-pss-sha256"],
  PKIX_ED25519: ["ed25519", void 0, "ed25519"],
  PKIX_ED25519_PH: ["ed25519", void 0, "ed25519ph"]
};
function signatureAlgorithmFromKeyDetails(name, key) {
  const details = Object.hasOwn(keyDetails, name) ? keyDetails[name] : void 0;
  if (details === void 0) throw new DecodingError("KEY_UNSUPPORTED", `keys of the kind ${excerpt(name)} are not supported`);
  const [kind, constraint, algorithm] = details;
  const found = key.kind === "ecdsa" ? key.curve : key.kind === "rsa" ? key.modulusBits : void 0;
  if (kind !== key.kind || constraint !== void 0 && constraint !== found) {
    throw new DecodingError("KEY_INVALID", `the key should be of the kind ${name}, found ${key.kind} ${found ?? ""}`.trimEnd());
  }
  return algorithm;
}
var oids2 = {
  "1.2.840.10045.4.3.1": "ecdsa-sha224",
  "1.2.840.10045.4.3.2": "ecdsa-sha256",
  "1.2.840.10045.4.3.3": "ecdsa-sha384",
  "1.2.840.10045.4.3.4": "ecdsa-sha512",
  "1.2.840.113549.1.1.11": "rsa-pkcs1-sha256",
  "1.2.840.113549.1.1.12": "rsa-pkcs1-sha384",
  "1.2.840.113549.1.1.13": "rsa-pkcs1-sha512",
  "1.3.101.112": "ed25519"
};
var rsassaPss = "1.2.840.113549.1.1.10";
var mgf12 = "1.2.840.113549.1.1.8";
var pssDigests = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512"
};
function signatureAlgorithmFromOid(oid2, parameters2) {
  if (oid2 === rsassaPss) return pssAlgorithm(parameters2);
  const algorithm = Object.hasOwn(oids2, oid2) ? oids2[oid2] : void 0;
  if (algorithm === void 0) throw new DecodingError("KEY_UNSUPPORTED", `signatures with the algorithm ${oid2} are not supported`);
  const isNull = parameters2?.length === 2 && parameters2[0] === 5 && parameters2[1] === 0;
  if (parameters2 !== void 0 && !(isNull && algorithm.startsWith("rsa"))) {
    throw new DecodingError("KEY_INVALID", `the signature algorithm ${oid2} has parameters that it should not have`);
  }
  return algorithm;
}
function pssAlgorithm(parameters2) {
  const params = parseDerSequence(parameters2 ?? new Uint8Array(0), "the parameters of RSASSA-PSS");
  const digest2 = readDigest(params.context(0, "hashAlgorithm"));
  const generator = params.context(1, "maskGenAlgorithm")?.sequence("maskGenAlgorithm");
  if (generator?.oid("the mask generator") !== mgf12 || readDigest(generator) !== digest2) {
    throw new DecodingError("KEY_UNSUPPORTED", "RSASSA-PSS is supported with MGF1 over its own digest only");
  }
  params.context(2, "saltLength");
  params.end();
  return `rsa-pss-${digest2}`;
}
function readDigest(reader) {
  const oid2 = reader?.sequence("the digest algorithm").oid("the digest algorithm") ?? "";
  const digest2 = Object.hasOwn(pssDigests, oid2) ? pssDigests[oid2] : void 0;
  if (digest2 === void 0) throw new DecodingError("KEY_UNSUPPORTED", "RSASSA-PSS is supported with SHA-256, SHA-384 and SHA-512 only");
  return digest2;
}

// src/crypto/signature.ts
function verifySignature(key, algorithm, data, signature) {
  if (!fits(key, algorithm)) return false;
  if (algorithm === "ed25519ph") return verifyDigest(key, algorithm, digest("sha512", data), signature);
  if (key.kind === "ecdsa" && parseEcdsaSignature(signature) === void 0) return false;
  const object = importPublicKey(key);
  const digestName = digestOf(algorithm) ?? null;
  if (!algorithm.startsWith("rsa-pss")) return verify(digestName, data, object, signature);
  return verify(digestName, data, { key: object, padding: constants2.RSA_PKCS1_PSS_PADDING, saltLength: constants2.RSA_PSS_SALTLEN_AUTO }, signature);
}
function verifyDigest(key, algorithm, digest2, signature) {
  const digestAlgorithm2 = digestOf(algorithm);
  if (digestAlgorithm2 === void 0) {
    throw new UsageError("ARTIFACT_REQUIRED", "an Ed25519 signature can only be verified with the signed bytes themselves, not with their digest");
  }
  if (!fits(key, algorithm)) return false;
  switch (key.kind) {
    case "ecdsa": {
      const values = parseEcdsaSignature(signature);
      if (values === void 0) return false;
      importPublicKey(key);
      return verifyEcdsaDigest(key, digest2, values.r, values.s);
    }
    case "rsa": {
      const verifyRsa = algorithm.startsWith("rsa-pss") ? verifyPssDigest : verifyPkcs1Digest;
      return verifyRsa(importPublicKey(key), digestAlgorithm2, digest2, signature);
    }
    case "ed25519":
      return prehashed()(key.point, digest2, signature);
  }
}
var ed25519ph;
function prehashed() {
  if (ed25519ph === void 0) throw new CountersignError("KEY_UNSUPPORTED", "Ed25519ph was not loaded (await loadEd25519ph() first)");
  return ed25519ph;
}
function fits(key, algorithm) {
  return algorithm.startsWith(key.kind);
}
function parseEcdsaSignature(signature) {
  if (signature.length > 150) return void 0;
  try {
    const reader = parseDerSequence(signature, "the signature");
    const r = reader.integer("r");
    const s = reader.integer("s");
    reader.end();
    return r > 0n && s > 0n ? { r, s } : void 0;
  } catch {
    return void 0;
  }
}

// src/trust/trust-material.ts
init_bytes();

// src/encoding/hex.ts
init_error();
init_bytes();
import { Buffer as Buffer5 } from "node:buffer";
function decodeHex(text, what) {
  const bytes = Buffer5.from(text, "hex");
  if (bytes.length * 2 !== text.length) {
    throw new DecodingError("ENCODING_INVALID", `${what} is not hexadecimal, found ${excerpt(text)}`);
  }
  return bytes;
}
function encodeHex(bytes) {
  return asBuffer(bytes).toString("hex");
}

// src/trust/trust-material.ts
init_error();

// src/x509/path.ts
init_bytes();
init_error();

// src/x509/name.ts
init_bytes();
var shortNames = {
  "2.5.4.3": "CN",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU"
};
function formatName(name) {
  const parts = [];
  const reader = new DerReader(name, "a name").sequence("a name");
  while (!reader.done) {
    const attributes = reader.set("a relative name");
    while (!attributes.done) {
      const attribute = attributes.sequence("an attribute");
      const type = attribute.oid("the type");
      const value = attribute.any("the value");
      parts.push(`${shortNames[type] ?? type}=${printable(value.tag, value.content)}`);
    }
  }
  return parts.join(", ");
}
function printable(identifier, content) {
  const isText = identifier === tag.utf8String || identifier === tag.printableString || identifier === tag.ia5String;
  const text = isText ? asBuffer(content).toString("utf8") : `#${asBuffer(content).toString("hex")}`;
  return text.replaceAll(new RegExp("\\p{C}", "gu"), "?");
}

// src/x509/path.ts
var maxPathLength = 8;
function createCertificateAuthority(chain, purpose) {
  const anchor = chain.at(-1);
  if (anchor === void 0) throw new VerificationError("CERTIFICATE_UNTRUSTED", "a certificate authority needs at least one certificate");
  return { anchor, intermediates: chain.slice(0, -1), purpose, paths: /* @__PURE__ */ new Map(), knownLeaves: /* @__PURE__ */ new Map() };
}
function verifyPath(leaf, authority, instants) {
  return checkPathAt(leaf, findIssuerPath(leaf, authority), instants);
}
function verifyKnownLeafPath(leaf, authority, instants) {
  let path3 = authority.knownLeaves.get(leaf);
  if (path3 === void 0) {
    path3 = findIssuerPath(leaf, authority);
    authority.knownLeaves.set(leaf, path3);
  }
  return checkPathAt(leaf, path3, instants);
}
function checkPathAt(leaf, path3, instants) {
  for (const instant2 of instants) {
    checkValidAt(leaf, instant2);
    for (const certificate of path3.certificates) checkValidAt(certificate, instant2);
  }
  return [leaf, ...path3.certificates];
}
function knowsIssuer(leaf, authority) {
  return namesIssuer(leaf, authority.anchor) || authority.intermediates.some((intermediate) => namesIssuer(leaf, intermediate));
}
function findIssuerPath(leaf, authority) {
  checkNoUnknownCritical(leaf);
  let failure;
  for (const issuer2 of [...authority.intermediates, authority.anchor]) {
    if (!namesIssuer(leaf, issuer2)) continue;
    const path3 = issuerPath(issuer2, authority, maxPathLength);
    if (path3 instanceof VerificationError) {
      failure = path3;
      continue;
    }
    if (isSignedBy(leaf, path3.key)) return path3;
    failure = new VerificationError("CERTIFICATE_UNTRUSTED", `the signature of the certificate does not verify with the key of ${formatName(issuer2.subject)}`);
  }
  throw failure ?? new VerificationError("CERTIFICATE_UNTRUSTED", `the certificate was issued by ${formatName(leaf.issuer) || "an unnamed issuer"}, which is not a trusted certificate authority`);
}
function checkValidAt(certificate, instant2) {
  if (instant2 >= certificate.notBefore && instant2 <= certificate.notAfter) return;
  const when = new Date(instant2).toISOString();
  const subject = formatName(certificate.subject);
  throw new VerificationError(
    "CERTIFICATE_EXPIRED",
    `the ${subject === "" ? "signing certificate" : `certificate of ${subject}`} was valid from ${new Date(certificate.notBefore).toISOString()} to ${new Date(certificate.notAfter).toISOString()}, not at the time of the signature, ${when}`
  );
}
function issuerPath(issuer2, authority, depthLeft) {
  const known2 = authority.paths.get(issuer2);
  if (known2 !== void 0) return known2;
  let path3;
  try {
    path3 = buildIssuerPath(issuer2, authority, depthLeft);
  } catch (error) {
    path3 = error instanceof VerificationError ? error : new VerificationError("CERTIFICATE_UNTRUSTED", `the certificate authority ${formatName(issuer2.subject)} cannot be used: ${messageOf(error)}`, { cause: error });
  }
  authority.paths.set(issuer2, path3);
  return path3;
}
function buildIssuerPath(issuer2, authority, depthLeft) {
  checkMayIssue(issuer2, authority.purpose);
  const key = parsePublicKey(issuer2.spki);
  if (issuer2 === authority.anchor) return { key, certificates: [issuer2] };
  if (depthLeft === 0) throw untrusted(issuer2, `has a path of more than ${maxPathLength} certificates`);
  let failure;
  for (const parent of [...authority.intermediates, authority.anchor]) {
    if (parent === issuer2 || !namesIssuer(issuer2, parent)) continue;
    const path3 = issuerPath(parent, authority, depthLeft - 1);
    if (path3 instanceof VerificationError) {
      failure = path3;
    } else if (isSignedBy(issuer2, path3.key)) {
      checkPathLengths(path3.certificates, issuer2);
      return { key, certificates: [issuer2, ...path3.certificates] };
    }
  }
  throw failure ?? untrusted(issuer2, "has no path to the trusted anchor");
}
function checkMayIssue(issuer2, purpose) {
  checkNoUnknownCritical(issuer2);
  if (issuer2.basicConstraints?.ca !== true) throw untrusted(issuer2, "is not a certificate authority (basic constraints)");
  if (issuer2.keyUsage !== void 0 && !issuer2.keyUsage.keyCertSign) throw untrusted(issuer2, "may not sign certificates (key usage)");
  const purposes = issuer2.extendedKeyUsage;
  if (purposes !== void 0 && !purposes.includes(purpose) && !purposes.includes(oid.anyExtendedKeyUsage)) {
    throw untrusted(issuer2, "may not issue for this purpose (extended key usage)");
  }
}
function checkPathLengths(above, issuer2) {
  let below = 1;
  if (equalBytes(issuer2.subject, issuer2.issuer)) below = 0;
  for (const certificate of above) {
    const limit = certificate.basicConstraints?.pathLength;
    if (limit !== void 0 && below > limit) throw untrusted(certificate, `allows ${limit} certificate authorities below it, ${below} follow`);
    if (!equalBytes(certificate.subject, certificate.issuer)) below++;
  }
}
function namesIssuer(certificate, issuer2) {
  if (!equalBytes(certificate.issuer, issuer2.subject)) return false;
  const wanted = certificate.authorityKeyIdentifier;
  const found = issuer2.subjectKeyIdentifier;
  return wanted === void 0 || found === void 0 || equalBytes(wanted, found);
}
function isSignedBy(certificate, issuerKey) {
  const { oid: algorithmOid, parameters: parameters2 } = certificate.signatureAlgorithm;
  const algorithm = signatureAlgorithmFromOid(algorithmOid, parameters2);
  return verifySignature(issuerKey, algorithm, certificate.tbs, certificate.signature);
}
function checkNoUnknownCritical(certificate) {
  const [unknown] = certificate.unknownCritical;
  if (unknown !== void 0) throw untrusted(certificate, `has the critical extension ${unknown}, which is not understood`);
}
function untrusted(certificate, reason) {
  return new VerificationError("CERTIFICATE_UNTRUSTED", `the certificate of ${formatName(certificate.subject) || "the signer"} ${reason}`);
}

// src/trust/trusted-root.ts
init_bytes();

// src/trust/time-window.ts
init_bytes();
var unbounded = { start: Number.NEGATIVE_INFINITY, end: void 0 };
function isWithin(window, instant2) {
  return instant2 >= window.start && (window.end === void 0 || instant2 <= window.end);
}
function formatWindow(window) {
  const start = window.start === Number.NEGATIVE_INFINITY ? "the beginning" : new Date(window.start).toISOString();
  return `${start} to ${window.end === void 0 ? "today" : new Date(window.end).toISOString()}`;
}
function readTimeWindow(range, owner, start) {
  range?.only("start", "end");
  const from = range === void 0 ? void 0 : readTimestamp(range, "start");
  if (from === void 0 && start === "required") {
    throw owner.invalid(`${range?.path ?? owner.pathOf("validFor")} has no start, which a log key must have`);
  }
  const end = range === void 0 ? void 0 : readTimestamp(range, "end");
  return { start: from ?? Number.NEGATIVE_INFINITY, end };
}
var rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;
function readTimestamp(fields, name) {
  const text = fields.optionalString(name);
  if (text === void 0) return void 0;
  const instant2 = rfc3339.test(text) ? Date.parse(text.replace(/(\.\d{3})\d+/, "$1")) : Number.NaN;
  if (Number.isNaN(instant2)) throw fields.invalid(`${fields.pathOf(name)} should be an RFC 3339 timestamp, found ${excerpt(text)}`);
  return instant2;
}

// src/trust/trusted-root.ts
var trustedRootMediaTypes = [
  "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
  "application/vnd.dev.sigstore.trustedroot.v0.1+json",
  "application/vnd.dev.sigstore.trustedroot.v0.2+json"
];
var maxRootBytes = 4 * 1024 * 1024;
var maxInstances = 256;
var maxChain2 = 16;
function parseTrustedRoot(input) {
  const root = new JsonFields(parseJson(input, "the trusted root", { maxBytes: maxRootBytes }), "trustedRoot", "TRUSTED_ROOT_INVALID");
  const mediaType = root.string("mediaType");
  if (!trustedRootMediaTypes.some((known2) => known2 === mediaType)) {
    throw root.invalid(`trustedRoot.mediaType should be that of a trusted root of version 0.1 or 0.2, found ${excerpt(mediaType, 80)}`);
  }
  root.only("mediaType", "tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities");
  return {
    mediaType,
    transparencyLogs: root.objects("tlogs", maxInstances).map(readLog),
    certificateTransparencyLogs: root.objects("ctlogs", maxInstances).map(readLog),
    certificateAuthorities: root.objects("certificateAuthorities", maxInstances).map(readAuthority),
    timestampAuthorities: root.objects("timestampAuthorities", maxInstances).map(readAuthority)
  };
}
function readLog(log) {
  log.only("baseUrl", "hashAlgorithm", "publicKey", "logId", "checkpointKeyId", "operator");
  const hashAlgorithm = log.string("hashAlgorithm");
  if (hashAlgorithm !== "SHA2_256") throw log.invalid(`${log.pathOf("hashAlgorithm")} should be SHA2_256, found ${excerpt(hashAlgorithm)}`);
  const key = log.object("publicKey").only("rawBytes", "keyDetails", "validFor");
  return {
    baseUrl: log.optionalString("baseUrl") ?? "",
    keyBytes: key.bytes("rawBytes"),
    keyDetails: key.string("keyDetails"),
    window: readTimeWindow(key.optionalObject("validFor"), key, "required"),
    logId: log.object("logId").only("keyId").bytes("keyId"),
    checkpointKeyId: log.optionalObject("checkpointKeyId")?.only("keyId").bytes("keyId"),
    operator: log.optionalString("operator") ?? ""
  };
}
function readAuthority(authority) {
  authority.only("subject", "uri", "certChain", "validFor", "operator");
  authority.optionalObject("subject")?.only("organization", "commonName");
  const chain = authority.object("certChain").only("certificates");
  const certificates = chain.objects("certificates", maxChain2).map((certificate) => certificate.only("rawBytes").bytes("rawBytes"));
  if (certificates.length === 0) throw chain.invalid(`${chain.path} holds no certificate`);
  return {
    uri: authority.optionalString("uri") ?? "",
    certificates,
    window: readTimeWindow(authority.optionalObject("validFor"), authority, "optional"),
    operator: authority.optionalString("operator") ?? ""
  };
}

// src/trust/trust-material.ts
function loadTrustMaterial(trustedRoot) {
  return createTrustMaterial(parseTrustedRoot(trustedRoot));
}
function createTrustMaterial(root) {
  const unusable = [];
  const load = (instances, what, loadOne) => instances.flatMap((instance, index) => {
    try {
      return [loadOne(instance)];
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      const where = `${what} ${index + 1} of the trusted root`;
      if (error.code !== "KEY_UNSUPPORTED") throw new DecodingError("TRUSTED_ROOT_INVALID", `${where}: ${error.message}`, { cause: error });
      unusable.push(`${where} is not used: ${error.message}`);
      return [];
    }
  });
  return {
    logs: load(root.transparencyLogs, "transparency log", loadLog),
    certificateTransparencyLogs: load(root.certificateTransparencyLogs, "CT log", loadLog),
    certificateAuthorities: load(root.certificateAuthorities, "certificate authority", loadCertificateAuthority),
    timestampAuthorities: load(root.timestampAuthorities, "timestamp authority", loadTimestampAuthority),
    unusable
  };
}
function findLog(logs, keyId) {
  return logs.find((log) => equalBytes(log.logId, keyId)) ?? logs.find((log) => log.checkpointKeyId !== void 0 && equalBytes(log.checkpointKeyId, keyId));
}
function createTimestampAuthority(certificates, instance) {
  const [first] = certificates;
  const leaf = first !== void 0 && first.basicConstraints?.ca !== true ? first : void 0;
  const authority = createCertificateAuthority(certificates.length > 1 && leaf !== void 0 ? certificates.slice(1) : certificates, oid.timeStamping);
  return { ...instance, leaf, authority };
}
function loadLog(instance) {
  const isPkcs1 = instance.keyDetails.startsWith("PKCS1_");
  const key = isPkcs1 ? parsePkcs1PublicKey(instance.keyBytes) : parsePublicKey(instance.keyBytes);
  return {
    baseUrl: instance.baseUrl,
    host: hostOf(instance.baseUrl),
    key,
    algorithm: signatureAlgorithmFromKeyDetails(instance.keyDetails, key),
    window: instance.window,
    logId: instance.logId,
    checkpointKeyId: instance.checkpointKeyId,
    operator: instance.operator === "" ? encodeHex(instance.logId) : instance.operator,
    checkedCheckpoints: /* @__PURE__ */ new Map()
  };
}
function loadCertificateAuthority(instance) {
  const chain = instance.certificates.map(parseCertificate);
  return { uri: instance.uri, window: instance.window, authority: createCertificateAuthority(chain, oid.codeSigning), profile: "fulcio" };
}
function loadTimestampAuthority(instance) {
  const certificates = instance.certificates.map(parseCertificate);
  const [first] = instance.certificates;
  const operator = instance.operator === "" ? encodeHex((first ?? new Uint8Array(0)).slice(-16)) : instance.operator;
  return createTimestampAuthority(certificates, { uri: instance.uri, window: instance.window, operator });
}
function hostOf(baseUrl) {
  const url = URL.canParse(baseUrl) && baseUrl.includes("://") ? baseUrl : `https://${baseUrl}`;
  return URL.canParse(url) ? new URL(url).hostname : "";
}

// src/verify/artifact.ts
init_error();
function artifactFromBytes(bytes) {
  const digests2 = /* @__PURE__ */ new Map();
  return {
    bytes,
    digest: (algorithm) => {
      const known2 = digests2.get(algorithm);
      if (known2 !== void 0) return known2;
      const computed = digest(algorithm, bytes);
      digests2.set(algorithm, computed);
      return computed;
    }
  };
}
function artifactFromDigests(digests2) {
  const known2 = /* @__PURE__ */ new Map();
  for (const algorithm of ["sha224", "sha256", "sha384", "sha512"]) {
    const value = digests2[algorithm];
    if (value === void 0) continue;
    if (value.length !== digestLength(algorithm)) {
      throw new UsageError("USAGE", `a ${algorithm} digest has ${digestLength(algorithm)} bytes, found ${value.length}`);
    }
    known2.set(algorithm, value);
  }
  if (known2.size === 0) throw new UsageError("USAGE", "an artifact needs at least one digest");
  return { bytes: void 0, digest: (algorithm) => known2.get(algorithm) };
}

// src/verify/verifier.ts
init_error();

// src/verify/verify.ts
init_error();

// src/verify/certificate.ts
init_bytes();
init_error();

// src/x509/sct.ts
init_bytes();
init_error();
var maxScts = 16;
var hashAlgorithms = { 4: "sha256", 5: "sha384", 6: "sha512" };
var signatureKinds = { 1: "rsa", 3: "ecdsa" };
function parseEmbeddedScts(certificate) {
  if (certificate.embeddedScts === void 0) return [];
  const outer = new DerReader(certificate.embeddedScts, "the SCT list extension");
  const list = outer.octetString("the SCT list");
  outer.end();
  return parseSctList(list);
}
function parseSctList(list) {
  const outer = new TlsReader(list, "the SCT list", "SCT_INVALID");
  const reader = new TlsReader(outer.opaque(2), "the SCT list", "SCT_INVALID");
  outer.end();
  const scts = [];
  while (!reader.done) {
    if (scts.length === maxScts) throw new DecodingError("SCT_INVALID", `the certificate has more than ${maxScts} SCTs`);
    scts.push(parseSct(reader.opaque(2)));
  }
  if (scts.length === 0) throw new DecodingError("SCT_INVALID", "the SCT list is empty");
  return scts;
}
function parseSct(bytes) {
  const reader = new TlsReader(bytes, "the SCT", "SCT_INVALID");
  const version = reader.uint(1);
  if (version !== 0) throw new DecodingError("SCT_INVALID", `the SCT has version ${version + 1}, only version 1 is known`);
  const logId = reader.take(32);
  const timestamp2 = reader.uint64();
  if (timestamp2 > BigInt(Number.MAX_SAFE_INTEGER)) throw new DecodingError("SCT_INVALID", "the time of the SCT is out of range");
  const extensions = reader.opaque(2);
  const hashCode = reader.uint(1);
  const signatureCode = reader.uint(1);
  const hashAlgorithm = hashAlgorithms[hashCode];
  const signatureKind = signatureKinds[signatureCode];
  if (hashAlgorithm === void 0 || signatureKind === void 0) {
    throw new DecodingError("SCT_INVALID", `the SCT is signed with an unknown algorithm (hash ${hashCode}, signature ${signatureCode})`);
  }
  const signature = reader.opaque(2);
  reader.end();
  return { logId, timestamp: Number(timestamp2), extensions, hashAlgorithm, signatureKind, signature };
}
function embeddedSctSignedBytes(sct, leaf, issuerSpki) {
  return concatBytes(
    sctHead(sct, 1),
    digest("sha256", issuerSpki),
    tlsOpaque(tbsWithoutExtension(leaf, oid.embeddedScts), 3),
    tlsOpaque(sct.extensions, 2)
  );
}
function detachedSctSignedBytes(sct, leaf) {
  return concatBytes(sctHead(sct, 0), tlsOpaque(leaf.bytes, 3), tlsOpaque(sct.extensions, 2));
}
function sctHead(sct, entryType) {
  return concatBytes(Uint8Array.of(0, 0), tlsUint(sct.timestamp, 8), tlsUint(entryType, 2));
}

// src/verify/certificate.ts
function verifyCertificate(leaf, trust, instants) {
  const namesakes = trust.certificateAuthorities.filter(({ authority }) => knowsIssuer(leaf, authority));
  if (namesakes.length === 0) throw unknownIssuer(leaf);
  let failure;
  for (const candidate of namesakes) {
    if (!instants.every((instant2) => isWithin(candidate.window, instant2))) {
      failure ??= outsideWindow(candidate, instants);
      continue;
    }
    try {
      const path3 = verifyPath(leaf, candidate.authority, instants);
      checkLeafProfile(leaf, candidate.profile);
      return { path: path3, authority: candidate };
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      failure = error;
    }
  }
  throw failure ?? unknownIssuer(leaf);
}
function unknownIssuer(leaf) {
  const issuer2 = formatName(leaf.issuer) || "an unnamed issuer";
  return new VerificationError("CERTIFICATE_UNTRUSTED", `the certificate was issued by ${issuer2}, which is not a certificate authority of the trusted root`);
}
function outsideWindow({ window, authority }, instants) {
  const outside = instants.find((instant2) => !isWithin(window, instant2)) ?? 0;
  return new VerificationError(
    "CERTIFICATE_EXPIRED",
    `the certificate authority ${formatName(authority.anchor.subject)} is trusted from ${formatWindow(window)}, not at the time of the signature, ${new Date(outside).toISOString()}`
  );
}
function checkExtraCertificates(chain, trust) {
  for (const der of chain) {
    const isKnown = trust.certificateAuthorities.some(
      ({ authority }) => [...authority.intermediates, authority.anchor].some((certificate2) => equalBytes(certificate2.bytes, der))
    );
    if (isKnown) continue;
    const certificate = parseCertificate(der);
    if (isSelfIssued(certificate)) {
      throw new VerificationError("CERTIFICATE_UNTRUSTED", `the bundle brings its own root certificate, ${formatName(certificate.subject)}, which the trusted root does not have`);
    }
  }
}
function checkLeafProfile(leaf, profile) {
  if (leaf.basicConstraints?.ca === true) throw untrusted2("is that of a certificate authority, not of a signer");
  if (leaf.keyUsage === void 0 ? profile === "fulcio" : !leaf.keyUsage.digitalSignature) {
    throw untrusted2("is not for digital signatures (key usage)");
  }
  if (leaf.extendedKeyUsage === void 0 || !leaf.extendedKeyUsage.includes(oid.codeSigning)) {
    throw untrusted2("is not for code signing (extended key usage)");
  }
  const names = leaf.subjectAlternativeNames;
  if (names.length === 0) throw untrusted2("has no subject alternative name");
  if (profile === "own") return;
  if (names.length > 1) throw untrusted2(`has ${names.length} subject alternative names, exactly one was expected`);
  if (names[0]?.kind !== "email" && names[0]?.kind !== "uri" && names[0]?.kind !== "username") {
    throw untrusted2("has a subject alternative name that is neither an e-mail address, a URI nor a user name");
  }
  const hasEmptySubject = leaf.subject.length === 2;
  if (hasEmptySubject && !leaf.subjectAlternativeNameCritical) throw untrusted2("has an empty subject and a subject alternative name that is not critical");
}
function verifyScts({ path: path3 }, trust, threshold, detachedSct, notes) {
  const [leaf, issuer2] = path3;
  if (leaf === void 0 || issuer2 === void 0) throw new VerificationError("SCT_UNVERIFIED", "the certificate is its own authority, so no SCT can be verified");
  const embedded = parseEmbeddedScts(leaf);
  const detached = detachedSct === void 0 ? [] : [parseSct(detachedSct)];
  const verified = [];
  const operators = /* @__PURE__ */ new Set();
  for (const sct of [...embedded, ...detached]) {
    const isEmbedded = embedded.includes(sct);
    const log = findLog(trust.certificateTransparencyLogs, sct.logId);
    const time = new Date(sct.timestamp);
    if (log === void 0) {
      notes.push(`an SCT of the unknown CT log ${encodeHex(sct.logId)} was not counted`);
      continue;
    }
    if (!isWithin(log.window, sct.timestamp)) {
      notes.push(`an SCT of ${time.toISOString()} was not counted: the CT log is trusted from ${formatWindow(log.window)}`);
      continue;
    }
    const signed = isEmbedded ? embeddedSctSignedBytes(sct, leaf, issuer2.spki) : detachedSctSignedBytes(sct, leaf);
    if (!verifySignature(log.key, sctAlgorithm(sct, log), signed, sct.signature)) {
      throw new VerificationError("SCT_UNVERIFIED", `the signature of the SCT does not verify with the key of the CT log ${log.baseUrl || encodeHex(sct.logId)}`);
    }
    operators.add(log.operator);
    verified.push({ logUrl: log.baseUrl, logId: encodeHex(sct.logId), time });
  }
  if (operators.size < threshold) {
    const had = embedded.length + detached.length === 0 ? "the certificate has none" : notes.at(-1) ?? "they are of one operator";
    throw new VerificationError("SCT_UNVERIFIED", `only able to verify ${operators.size} SCT entries; unable to meet threshold of ${threshold}: ${had}`);
  }
  return verified;
}
function sctAlgorithm(sct, log) {
  if (sct.signatureKind !== log.key.kind) {
    throw new VerificationError("SCT_UNVERIFIED", `the SCT says it is signed with ${sct.signatureKind}, the CT log has an ${log.key.kind} key`);
  }
  return sct.signatureKind === "rsa" ? `rsa-pkcs1-${sct.hashAlgorithm}` : `ecdsa-${sct.hashAlgorithm}`;
}
function untrusted2(reason) {
  return new VerificationError("CERTIFICATE_UNTRUSTED", `the signing certificate ${reason}`);
}

// src/verify/identity.ts
init_bytes();
init_error();
function verifyIdentity(certificate, identities) {
  if (identities.length === 0) throw new UsageError("POLICY_INVALID", "at least one certificate identity with its issuer is needed");
  const failures = [];
  for (const identity2 of identities) {
    const failure = mismatchOf(certificate, identity2);
    if (typeof failure !== "string") return failure;
    failures.push(failure);
  }
  const subjects = certificate.subjectAlternativeNames.map((name) => name.value).join(", ");
  throw new VerificationError(
    "IDENTITY_MISMATCH",
    `none of the expected identities matched what was in the certificate, got subjects [${subjects}] with issuer ${issuerOf(certificate.sigstore) ?? "(none)"}: no matching CertificateIdentity found, last error: ${failures.at(-1)}`
  );
}
function mismatchOf(certificate, identity2) {
  const name = certificate.subjectAlternativeNames.find((candidate) => candidate.kind !== "other" && matches(identity2.subjectAlternativeName, candidate.value));
  if (name === void 0) {
    return `expected SAN value ${describe(identity2.subjectAlternativeName)}, got ${certificate.subjectAlternativeNames.map((candidate) => excerpt(candidate.value, 200)).join(", ") || "none"}`;
  }
  const issuer2 = issuerOf(certificate.sigstore);
  if (issuer2 === void 0 || !matches(identity2.issuer, issuer2)) {
    return `expected issuer value ${describe(identity2.issuer)}, got ${issuer2 === void 0 ? "none" : excerpt(issuer2, 200)}`;
  }
  for (const [extension2, matcher] of Object.entries(identity2.extensions ?? {})) {
    const value = certificate.sigstore[extension2];
    if (value === void 0 || !matches(matcher, value)) {
      return `expected ${extension2} ${describe(matcher)}, got ${value === void 0 ? "none" : excerpt(value, 200)}`;
    }
  }
  return name;
}
function matches(matcher, text) {
  if (typeof matcher === "string") return matcher === text;
  if ("matches" in matcher) return matcher.matches(text);
  return matcher[0] === text && matcher[1].matches(text);
}
function describe(matcher) {
  if (typeof matcher === "string") return JSON.stringify(matcher);
  if ("matches" in matcher) return `to match regex ${JSON.stringify(matcher.source)}`;
  return `${JSON.stringify(matcher[0])} and to match regex ${JSON.stringify(matcher[1].source)}`;
}

// src/verify/log-entries.ts
init_bytes();
init_error();

// src/bundle/log-entry-body.ts
init_bytes();
init_error();
var maxBodyBytes = 16 * 1024 * 1024;
var maxSignatures = 16;
function isRekorV2(kind, version) {
  return version === "0.0.2" && (kind === "hashedrekord" || kind === "dsse");
}
function parseLogEntryBody(body) {
  const entry = new JsonFields(parseJson(body, "the log entry", { maxBytes: maxBodyBytes }), "entry", "LOG_ENTRY_INVALID");
  entry.only("apiVersion", "kind", "spec");
  const kind = entry.string("kind");
  const version = entry.string("apiVersion");
  const spec = entry.object("spec");
  switch (`${kind} ${version}`) {
    case "hashedrekord 0.0.1":
      return { kind: "hashedrekord", version, ...readHashedRekordV001(spec) };
    case "hashedrekord 0.0.2":
      return { kind: "hashedrekord", version, ...readHashedRekordV002(spec.only("hashedRekordV002").object("hashedRekordV002")) };
    case "dsse 0.0.1":
      return { kind: "dsse", version, ...readDsseV001(spec) };
    case "dsse 0.0.2":
      return { kind: "dsse", version, ...readDsseV002(spec.only("dsseV002").object("dsseV002")) };
    case "intoto 0.0.2":
      return { kind: "intoto", version, ...readIntotoV002(spec) };
    case "rekord 0.0.1":
      return { kind: "rekord", version, ...readRekordV001(spec) };
    default:
      throw entry.invalid(`log entries of kind ${excerpt(kind)} version ${excerpt(version)} are not supported`);
  }
}
function readHashedRekordV001(spec) {
  spec.only("data", "signature");
  const signature = spec.object("signature").only("content", "publicKey");
  const verifier = readPemVerifier(signature.object("publicKey").only("content"), "content");
  return {
    digest: readHexDigest(spec.object("data").only("hash").object("hash")),
    signatures: [{ signature: signature.bytes("content"), verifier }]
  };
}
function readHashedRekordV002(spec) {
  spec.only("data", "signature");
  return { digest: readProtobufDigest(spec.object("data")), signatures: [readProtobufSignature(spec.object("signature"))] };
}
function readDsseV001(spec) {
  spec.only("envelopeHash", "payloadHash", "signatures");
  readHexDigest(spec.object("envelopeHash"));
  const signatures = spec.objects("signatures", maxSignatures).map((signature) => ({
    signature: signature.only("signature", "verifier").bytes("signature"),
    verifier: readPemVerifier(signature, "verifier")
  }));
  return { digest: readHexDigest(spec.object("payloadHash")), signatures };
}
function readDsseV002(spec) {
  spec.only("payloadHash", "signatures");
  return {
    digest: readProtobufDigest(spec.object("payloadHash")),
    signatures: spec.objects("signatures", maxSignatures).map(readProtobufSignature)
  };
}
function readIntotoV002(spec) {
  const content = spec.only("content").object("content").only("envelope", "hash", "payloadHash");
  const envelope = content.object("envelope").only("payloadType", "signatures", "payload");
  const signatures = envelope.objects("signatures", maxSignatures).map((signature) => {
    signature.only("keyid", "publicKey", "sig");
    const text = asBuffer(signature.bytes("sig")).toString("latin1");
    return { signature: signature.decodeBase64(text, "sig"), verifier: readPemVerifier(signature, "publicKey") };
  });
  return { digest: readHexDigest(content.object("payloadHash")), signatures };
}
function readRekordV001(spec) {
  spec.only("data", "signature");
  const signature = spec.object("signature").only("format", "content", "publicKey");
  const format = signature.string("format");
  if (format !== "x509") throw signature.invalid(`rekord entries with signatures of format ${excerpt(format)} are not supported, only x509`);
  const verifier = readPemVerifier(signature.object("publicKey").only("content"), "content");
  return {
    digest: readHexDigest(spec.object("data").only("hash", "content").object("hash")),
    signatures: [{ signature: signature.bytes("content"), verifier }]
  };
}
function readHexDigest(hash3) {
  hash3.only("algorithm", "value");
  const name = hash3.string("algorithm");
  if (name !== "sha256" && name !== "sha384" && name !== "sha512") {
    throw hash3.invalid(`${hash3.pathOf("algorithm")} should be sha256, sha384 or sha512, found ${excerpt(name)}`);
  }
  return sized(hash3, name, decodeHex(hash3.string("value"), hash3.pathOf("value")));
}
function readProtobufDigest(hash3) {
  hash3.only("algorithm", "digest");
  const name = hash3.string("algorithm");
  const algorithm = protobufDigestAlgorithm(name);
  if (algorithm === void 0) throw hash3.invalid(`${hash3.pathOf("algorithm")} should be SHA2_256, SHA2_384 or SHA2_512, found ${excerpt(name)}`);
  return sized(hash3, algorithm, hash3.bytes("digest"));
}
function sized(hash3, algorithm, value) {
  if (value.length !== digestLength(algorithm)) throw hash3.invalid(`${hash3.path} is a ${algorithm} digest of ${value.length} bytes`);
  return { algorithm, value };
}
function readProtobufSignature(signature) {
  signature.only("content", "verifier");
  const verifier = signature.object("verifier").only("keyDetails", "x509Certificate", "publicKey");
  const keyDetails2 = verifier.string("keyDetails");
  const certificate = verifier.optionalObject("x509Certificate")?.only("rawBytes");
  const publicKey = verifier.optionalObject("publicKey")?.only("rawBytes");
  if (certificate === void 0 === (publicKey === void 0)) {
    throw verifier.invalid(`${verifier.path} should have exactly one of x509Certificate and publicKey`);
  }
  const kind = certificate === void 0 ? "public-key" : "certificate";
  const der = certificate?.bytes("rawBytes") ?? publicKey?.bytes("rawBytes") ?? new Uint8Array(0);
  return { signature: signature.bytes("content"), verifier: { kind, der, keyDetails: keyDetails2 } };
}
function readPemVerifier(fields, name) {
  const what = fields.pathOf(name);
  const [block] = parsePem(decodeUtf8(fields.bytes(name), what), what);
  if (block?.label === "CERTIFICATE") return { kind: "certificate", der: block.der };
  if (block?.label === "PUBLIC KEY") return { kind: "public-key", der: block.der };
  if (block?.label === "RSA PUBLIC KEY") return { kind: "public-key", der: block.der, isPkcs1: true };
  throw new DecodingError("LOG_ENTRY_INVALID", `${what} holds a PEM ${excerpt(block?.label ?? "")} where a certificate or public key was expected`);
}

// src/merkle/hash.ts
init_bytes();
init_error();
import { Buffer as Buffer6 } from "node:buffer";
import { createHash as createHash6, hash as hash2 } from "node:crypto";

// src/merkle/path-shape.ts
var maxTreeSize = 2n ** 63n - 1n;
function pathShape(index, size) {
  const last = size - 1n;
  const low = lowBits(index);
  const high = highBits(index);
  const inner = bitLength(low ^ lowBits(last), high ^ highBits(last));
  const border = inner < 32 ? bitCount(low >>> inner) + bitCount(high) : bitCount(high >>> inner - 32);
  return { inner, border, low, high };
}
function isLeftSibling(shape, level) {
  if (level >= shape.inner) return true;
  return ((level < 32 ? shape.low >>> level : shape.high >>> level - 32) & 1) === 1;
}
function lowBits(value) {
  return Number(value & 0xffffffffn);
}
function highBits(value) {
  return Number(value >> 32n);
}
function bitLength(low, high) {
  return high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high);
}
function bitCount(bits) {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

// src/merkle/hash.ts
var hashSize = 32;
var emptyRoot = createHash6("sha256").digest();
var maxCopiedEntry = 2048;
var leafPrefix = Uint8Array.of(0);
var nodeInput = Buffer6.alloc(1 + 2 * hashSize, 1);
var leftAt = 1;
var rightAt = 1 + hashSize;
function leafHash(entry) {
  if (entry.length > maxCopiedEntry) return createHash6("sha256").update(leafPrefix).update(entry).digest();
  const input = Buffer6.allocUnsafe(1 + entry.length);
  input[0] = 0;
  input.set(entry, 1);
  return Buffer6.from(sha256Text(input), "latin1");
}
function climb(node, level, siblings, first, shape) {
  checkSize(node);
  let digest2 = asBuffer(node).toString("latin1");
  let at = level;
  for (let position = first; position < siblings.length; position++) {
    const sibling = siblings[position];
    if (sibling === void 0) break;
    const isLeft = isLeftSibling(shape, at++);
    placeChild(sibling, isLeft ? leftAt : rightAt);
    nodeInput.write(digest2, isLeft ? rightAt : leftAt, hashSize, "latin1");
    digest2 = sha256Text(nodeInput);
  }
  return Buffer6.from(digest2, "latin1");
}
function sha256Text(input) {
  return hash2("sha256", input, "binary");
}
function placeChild(child, offset) {
  checkSize(child);
  nodeInput.set(child, offset);
}
function checkSize(treeHash) {
  if (treeHash.length !== hashSize)
    throw new DecodingError("ENCODING_INVALID", `a tree hash has ${hashSize} bytes, found ${treeHash.length}`);
}

// src/merkle/inclusion-proof.ts
init_bytes();
init_error();
function verifyInclusion(claim) {
  if (claim.root.length !== hashSize) throw invalid5(`the root hash should have ${hashSize} bytes, found ${claim.root.length}`);
  const root = rootFromInclusionProof(claim);
  if (!equalBytes(root, claim.root)) {
    throw invalid5(`the inclusion proof leads to the root ${encodeHex(root)}, expected ${encodeHex(claim.root)}`);
  }
}
function rootFromInclusionProof(inclusion) {
  const { leafIndex, treeSize: treeSize2, leafHash: leafHash2, proof } = inclusion;
  if (treeSize2 > maxTreeSize) throw invalid5("the tree size is above the largest possible, 2^63-1");
  if (leafIndex < 0n) throw invalid5("the leaf index is negative");
  if (leafIndex >= treeSize2) throw invalid5(`the leaf index ${leafIndex} is not below the tree size ${treeSize2}`);
  const shape = pathShape(leafIndex, treeSize2);
  const expected = shape.inner + shape.border;
  if (proof.length !== expected) {
    throw invalid5(`leaf ${leafIndex} of a tree of ${treeSize2} has ${expected} hashes in its inclusion proof, found ${proof.length}`);
  }
  if (leafHash2.length !== hashSize) throw invalid5(`the leaf hash should have ${hashSize} bytes, found ${leafHash2.length}`);
  for (const hash3 of proof) {
    if (hash3.length !== hashSize) throw invalid5(`a hash of the inclusion proof should have ${hashSize} bytes, found ${hash3.length}`);
  }
  return climb(leafHash2, 0, proof, 0, shape);
}
function invalid5(message) {
  return new VerificationError("INCLUSION_PROOF_INVALID", message);
}

// src/verify/log-checkpoint.ts
init_bytes();
init_error();

// src/merkle/checkpoint.ts
init_bytes();
init_error();

// src/merkle/note-text.ts
function hasControlCharacter(text) {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 32 && code !== 10) return true;
  }
  return false;
}
function isKeyName(name) {
  return /^[^\p{White_Space}+]+$/u.test(name) && name.isWellFormed() && !hasControlCharacter(name);
}

// src/merkle/checkpoint.ts
var decimalPattern = /^(?:0|[1-9][0-9]{0,18})$/;
function parseCheckpoint(text) {
  if (!text.endsWith("\n")) throw invalid6("a checkpoint ends in a newline");
  const lines = text.slice(0, -1).split("\n");
  const [origin, size, rootHash, ...extensions] = lines;
  if (origin === void 0 || size === void 0 || rootHash === void 0) {
    throw invalid6(`a checkpoint has a line each for origin, tree size and root hash, found ${lines.length} lines`);
  }
  checkLine(origin, "the origin of the checkpoint");
  for (const extension2 of extensions) checkLine(extension2, "an extension line of the checkpoint");
  return { origin, size: parseSize(size), rootHash: parseRootHash(rootHash), extensions };
}
function parseSize(line) {
  if (!decimalPattern.test(line)) {
    throw invalid6(`the tree size of the checkpoint should be a decimal number without leading zeros, found ${excerpt(line)}`);
  }
  const size = BigInt(line);
  if (size > maxTreeSize) throw invalid6(`the tree size of the checkpoint is above the largest possible, 2^63-1: ${size}`);
  return size;
}
function parseRootHash(line) {
  let rootHash;
  try {
    rootHash = decodeBase64(line, "the root hash");
  } catch (cause) {
    throw new DecodingError("CHECKPOINT_INVALID", `the root hash of the checkpoint should be base64, found ${excerpt(line)}`, { cause });
  }
  checkRootHash(rootHash);
  return rootHash;
}
function checkRootHash(rootHash) {
  if (rootHash.length !== hashSize) throw invalid6(`the root hash of the checkpoint should have ${hashSize} bytes, found ${rootHash.length}`);
}
function checkLine(line, what) {
  if (line === "") throw invalid6(`${what} is empty`);
  if (line.includes("\n") || hasControlCharacter(line)) throw invalid6(`${what} holds a control character: ${excerpt(line)}`);
  if (!line.isWellFormed()) throw invalid6(`${what} is not well-formed Unicode: ${excerpt(line)}`);
}
function invalid6(message) {
  return new DecodingError("CHECKPOINT_INVALID", message);
}

// src/merkle/signed-note.ts
import { Buffer as Buffer7 } from "node:buffer";
init_bytes();
init_error();

// src/merkle/signature-line.ts
init_bytes();
init_error();
var keyIdSize = 4;
var prefix = "\u2014 ";
function parseSignatureLine(line) {
  const space = line.lastIndexOf(" ");
  if (!line.startsWith(prefix) || space < prefix.length) {
    throw invalid7(`a signature line has the form "\u2014 <name> <base64>", found ${excerpt(line)}`);
  }
  const name = line.slice(prefix.length, space);
  checkName(name);
  const bytes = decodeSignature(line.slice(space + 1));
  if (bytes.length <= keyIdSize)
    throw invalid7(`the signature by ${excerpt(name)} should have more than ${keyIdSize} bytes, found ${bytes.length}`);
  return { name, keyId: bytes.subarray(0, keyIdSize), signature: bytes.subarray(keyIdSize) };
}
function decodeSignature(base643) {
  try {
    return decodeBase64(base643, "the signature");
  } catch (cause) {
    throw new DecodingError("NOTE_INVALID", `the signature of a note should be base64, found ${excerpt(base643)}`, { cause });
  }
}
function checkName(name) {
  if (!isKeyName(name))
    throw invalid7(`the name of a note's key should be characters other than white space, controls and plus, found ${excerpt(name)}`);
}
function invalid7(message) {
  return new DecodingError("NOTE_INVALID", message);
}

// src/merkle/signed-note.ts
var maxNoteSize = 1e6;
var maxSignatures2 = 100;
function parseSignedNote(input) {
  checkSize2(typeof input === "string" ? Buffer7.byteLength(input) : input.length);
  const note = typeof input === "string" ? input : decodeNote(input);
  checkCharacters(note);
  const separator = note.lastIndexOf("\n\n");
  if (separator === -1) throw invalid8("a signed note has an empty line between text and signatures");
  const lines = note.slice(separator + 2);
  if (lines === "") throw invalid8("the note has no signature");
  if (!lines.endsWith("\n")) throw invalid8("a signed note ends in a newline");
  const text = note.slice(0, separator + 1);
  const signatures = lines.slice(0, -1).split("\n", maxSignatures2 + 1).map(parseSignatureLine);
  if (signatures.length > maxSignatures2) throw invalid8(`the note has more than ${maxSignatures2} signatures`);
  return { text, signedBytes: encodeUtf8(text), signatures };
}
function verifyNote(note, verifiers) {
  return matchSignatures(
    note,
    verifiers,
    (verifier, signature) => verifySignature(verifier.key, verifier.algorithm, note.signedBytes, signature) ? true : void 0
  );
}
function matchSignatures(note, verifiers, check) {
  const verified = [];
  for (const verifier of verifiers) {
    let failed;
    let found;
    for (const signature of note.signatures) {
      if (!isOf(signature, verifier)) continue;
      const evidence = check(verifier, signature.signature);
      if (evidence !== void 0) {
        found = { verifier, signature, evidence };
        break;
      }
      failed = signature;
    }
    if (found !== void 0) {
      verified.push(found);
    } else if (failed !== void 0) {
      throw new VerificationError(
        "SIGNATURE_INVALID",
        `the note's signature by ${excerpt(failed.name)} with the key ${encodeHex(failed.keyId)} does not verify`
      );
    }
  }
  return verified;
}
function noteKeyId(name, key) {
  return noteKeyHash2(name, key).subarray(0, keyIdSize);
}
function noteKeyHash2(name, key) {
  if (key.kind === "ecdsa") return digest("sha256", key.spki);
  if (key.kind === "ed25519") return typedKeyHash(name, Uint8Array.of(1), rawEd25519Key(key));
  return typedKeyHash(name, concatBytes(Uint8Array.of(255), encodeUtf8("PKIX-RSA-PKCS#1v1.5")), key.spki);
}
function typedKeyHash(name, signatureType, publicKey) {
  return digest("sha256", encodeUtf8(`${name}
`), signatureType, publicKey);
}
function rawEd25519Key(key) {
  if (key.kind !== "ed25519" || key.spki.length !== 44)
    throw new DecodingError("KEY_INVALID", `an Ed25519 key was expected, found ${key.kind}`);
  return key.spki.subarray(12);
}
function isOf(signature, key) {
  return equalBytes(signature.keyId, key.keyId) && (key.name === void 0 || key.name === signature.name);
}
function decodeNote(bytes) {
  try {
    return decodeUtf8(bytes, "the note");
  } catch (cause) {
    throw new DecodingError("NOTE_INVALID", "a signed note is UTF-8 text", { cause });
  }
}
function checkSize2(size) {
  if (size > maxNoteSize) throw new DecodingError("TOO_LARGE", `a signed note has at most ${maxNoteSize} bytes, found ${size}`);
}
function checkCharacters(text) {
  if (hasControlCharacter(text)) throw invalid8("a signed note has no control character but newline");
  if (!text.isWellFormed()) throw invalid8("a signed note is well-formed Unicode text");
}
function invalid8(message) {
  return new DecodingError("NOTE_INVALID", message);
}

// src/verify/log-checkpoint.ts
var maxChecked = 1024;
function verifyLogCheckpoint(text, log, version) {
  const key = `${version}
${text}`;
  const known2 = log.checkedCheckpoints.get(key);
  if (known2 !== void 0) return known2;
  const note = parseSignedNote(text);
  const checkpoint2 = parseCheckpoint(note.text);
  if (signaturesOf(note, version === "v1" ? verifiersV1(log) : verifiersV2(log)) === 0) throw new VerificationError("LOG_ENTRY_UNVERIFIED", "the checkpoint has no signature of the log");
  if (version === "v2" && checkpoint2.origin !== log.host) {
    throw new VerificationError("LOG_ENTRY_UNVERIFIED", `the checkpoint is of the log ${excerpt(checkpoint2.origin)}, expected ${excerpt(log.host)}`);
  }
  if (log.checkedCheckpoints.size >= maxChecked) {
    const [oldest] = log.checkedCheckpoints.keys();
    if (oldest !== void 0) log.checkedCheckpoints.delete(oldest);
  }
  log.checkedCheckpoints.set(key, checkpoint2);
  return checkpoint2;
}
function signaturesOf(note, verifiers) {
  try {
    return verifyNote(note, verifiers).length;
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause;
    throw new VerificationError("LOG_ENTRY_UNVERIFIED", `the checkpoint is not signed by the log: ${cause.message}`, { cause });
  }
}
function verifiersV1(log) {
  return [{ keyId: digest("sha256", log.key.spki).subarray(0, 4), key: log.key, algorithm: log.algorithm }];
}
function verifiersV2(log) {
  const derived = noteKeyId(log.host, log.key);
  const stated = (log.checkpointKeyId ?? log.logId).subarray(0, 4);
  const keyIds = equalBytes(derived, stated) ? [derived] : [derived, stated];
  return keyIds.map((keyId) => ({ name: log.host, keyId, key: log.key, algorithm: log.algorithm }));
}

// src/verify/log-entry-content.ts
init_bytes();
init_error();
function verifyEntryContent(entry, entity, signer, artifact) {
  const body = parseLogEntryBody(entry.body);
  if (body.kind !== entry.kind || body.version !== entry.version) {
    throw mismatch(`the bundle says the log entry is ${excerpt(entry.kind, 30)} ${excerpt(entry.version, 30)}, it is ${body.kind} ${body.version}`);
  }
  const [signature] = body.signatures;
  if (signature === void 0 || body.signatures.length > 1) {
    throw mismatch(`the log entry has ${body.signatures.length} signatures, exactly one was expected`);
  }
  if (!equalBytes(signature.signature, entity.content.signature)) throw mismatch("the signature in the log entry is not the signature of the bundle");
  checkVerifier(signature.verifier, signer);
  if (isRekorV2(body.kind, body.version)) checkKeyDetails(signature, body, signer);
  checkDigest(body, entity, artifact);
}
function checkVerifier(verifier, signer) {
  if (signer.certificate !== void 0) {
    if (verifier.kind === "certificate" && equalBytes(verifier.der, signer.certificate.bytes)) return;
    throw mismatch("the certificate in the log entry is not the certificate of the bundle");
  }
  if (verifier.kind === "public-key") {
    const spki = verifier.isPkcs1 === true ? parsePkcs1PublicKey(verifier.der).spki : verifier.der;
    if (equalBytes(spki, signer.key.spki)) return;
  }
  throw mismatch("the public key in the log entry is not the given key");
}
function checkKeyDetails({ verifier }, body, signer) {
  const algorithm = signatureAlgorithmFromKeyDetails(verifier.keyDetails ?? "", signer.key);
  const hashes = digestOf(algorithm);
  if (!signer.algorithms.includes(algorithm) || body.kind === "hashedrekord" && hashes !== body.digest.algorithm) {
    throw mismatch(`the log entry states the algorithm ${excerpt(verifier.keyDetails ?? "")}, which is not that of the signature`);
  }
}
function checkDigest(body, entity, artifact) {
  const { algorithm, value } = body.digest;
  const { content } = entity;
  if (content.kind === "dsse-envelope") {
    if (body.kind === "rekord" || body.kind === "hashedrekord" && body.version !== "0.0.2") {
      throw mismatch(`the log entry of kind ${body.kind} ${body.version} is not about an attestation`);
    }
    const hashed = body.kind === "hashedrekord" ? preAuthenticationEncoding(content.payloadType, content.payload) : content.payload;
    if (!equalBytes(digest(algorithm, hashed), value)) throw mismatch("the log entry is about another attestation than that of the bundle");
    return;
  }
  if (body.kind !== "hashedrekord" && body.kind !== "rekord") throw mismatch(`the log entry of kind ${body.kind} is not about a plain signature`);
  const actual = artifact === "any-subject" ? void 0 : artifact.digest(algorithm);
  if (actual === void 0) {
    throw new VerificationError("ARTIFACT_REQUIRED", `the log entry holds the ${algorithm} digest of the artifact, which was not given (give the file, or that digest)`);
  }
  if (!equalBytes(actual, value)) {
    throw mismatch(`the log entry is about an artifact with ${algorithm} ${encodeHex(value)}, the given one has ${encodeHex(actual)}`);
  }
}
function mismatch(message) {
  return new VerificationError("LOG_ENTRY_MISMATCH", message);
}

// src/verify/log-entries.ts
function verifyLogEntries(entity, signer, artifact, trust, signedTimes, notes) {
  const entries = [];
  const times = [];
  const operators = /* @__PURE__ */ new Set();
  const timeOperators = /* @__PURE__ */ new Set();
  for (const [position, entry] of entity.logEntries.entries()) {
    checkNotRepeated(entity.logEntries, position);
    verifyEntryContent(entry, entity, signer, artifact);
    const log = findLog(trust.logs, entry.logId);
    if (log === void 0) {
      notes.push(`a log entry of the unknown log ${encodeHex(entry.logId).slice(0, 64)} was not counted`);
      continue;
    }
    const integratedTime = isRekorV2(entry.kind, entry.version) ? verifyEntryV2(entry, log, signedTimes) : verifyEntryV1(entry, log);
    operators.add(log.operator);
    entries.push({
      logUrl: log.baseUrl,
      logId: encodeHex(entry.logId),
      logIndex: entry.logIndex,
      kind: entry.kind,
      version: entry.version,
      integratedTime,
      treeSize: entry.inclusionProof?.checkpoint === void 0 ? void 0 : entry.inclusionProof.treeSize
    });
    if (integratedTime === void 0) continue;
    timeOperators.add(log.operator);
    times.push({ time: integratedTime, source: "transparency-log", authority: log.baseUrl });
  }
  return { entries, times, operators: operators.size, timeOperators: timeOperators.size };
}
function checkNotRepeated(entries, position) {
  const entry = entries[position];
  if (entry === void 0) return;
  if (entries.slice(0, position).some((earlier) => earlier.logIndex === entry.logIndex && equalBytes(earlier.logId, entry.logId))) {
    throw unverified(`the bundle has the entry ${entry.logIndex} of one log twice`);
  }
}
function verifyEntryV1(entry, log) {
  const { signedEntryTimestamp, inclusionProof } = entry;
  let integratedTime;
  if (signedEntryTimestamp !== void 0) integratedTime = verifyPromise(entry, signedEntryTimestamp, log);
  if (inclusionProof !== void 0) {
    if (inclusionProof.checkpoint !== void 0) checkAgainstCheckpoint(inclusionProof, inclusionProof.checkpoint, log, "v1");
    verifyProof(entry, inclusionProof, inclusionProof.logIndex);
  }
  if (signedEntryTimestamp === void 0 && inclusionProof?.checkpoint === void 0) {
    throw unverified("the log entry has neither a signed entry timestamp nor an inclusion proof with a checkpoint");
  }
  return integratedTime;
}
function verifyEntryV2(entry, log, signedTimes) {
  if (entry.signedEntryTimestamp !== void 0) throw unverified("the log entry is of Rekor v2, which has no signed entry timestamps, and yet has one");
  const { inclusionProof } = entry;
  if (inclusionProof?.checkpoint === void 0) throw unverified("the log entry has no inclusion proof with a checkpoint");
  if (inclusionProof.logIndex !== entry.logIndex) {
    throw unverified(`the log entry has the index ${entry.logIndex}, its inclusion proof ${inclusionProof.logIndex}`);
  }
  checkAgainstCheckpoint(inclusionProof, inclusionProof.checkpoint, log, "v2");
  verifyProof(entry, inclusionProof, entry.logIndex);
  for (const { time } of signedTimes) checkLogWindow(log, time);
}
function verifyPromise(entry, signature, log) {
  if (entry.integratedTime <= 0n || entry.integratedTime > maxSeconds) throw unverified(`the time of the log entry, ${entry.integratedTime}, is not a time`);
  const signed = `{"body":"${encodeBase64(entry.body)}","integratedTime":${entry.integratedTime},"logID":"${encodeHex(entry.logId)}","logIndex":${entry.logIndex}}`;
  if (!verifySignature(log.key, log.algorithm, encodeUtf8(signed), signature)) {
    throw unverified("the signed entry timestamp does not verify with the key of the log");
  }
  const time = new Date(Number(entry.integratedTime) * 1e3);
  checkLogWindow(log, time);
  return time;
}
function checkLogWindow(log, time) {
  if (isWithin(log.window, time.getTime())) return;
  throw unverified(`the log ${excerpt(log.baseUrl)} is trusted from ${formatWindow(log.window)}, not at the time of the entry, ${time.toISOString()}`);
}
function checkAgainstCheckpoint(proof, text, log, version) {
  const checkpoint2 = verifyLogCheckpoint(text, log, version);
  if (checkpoint2.size !== proof.treeSize || !equalBytes(checkpoint2.rootHash, proof.rootHash)) {
    throw unverified(`the inclusion proof is for a tree of ${proof.treeSize} entries with another root than the checkpoint, which has ${checkpoint2.size}`);
  }
}
function verifyProof(entry, proof, leafIndex) {
  verifyInclusion({ leafIndex, treeSize: proof.treeSize, leafHash: leafHash(entry.body), proof: proof.hashes, root: proof.rootHash });
}
var maxSeconds = 8640000000000n;
function unverified(message) {
  return new VerificationError("LOG_ENTRY_UNVERIFIED", message);
}

// src/bundle/statement.ts
init_bytes();
var maxSubjects = 16384;
var maxDigests = 32;
function parseStatement(payload) {
  const json = parseJson(payload, "the in-toto statement", { integers: "exact" });
  const statement = new JsonFields(json, "statement", "STATEMENT_INVALID");
  const type = statement.string("_type");
  if (type !== "https://in-toto.io/Statement/v1" && type !== "https://in-toto.io/Statement/v0.1") {
    throw statement.invalid(`statement._type should be an in-toto statement of version 0.1 or 1, found ${excerpt(type)}`);
  }
  const subjects = statement.objects("subject", maxSubjects).map(readSubject);
  if (subjects.length === 0) throw statement.invalid("the statement has no subject");
  return { type, subjects, predicateType: statement.string("predicateType"), predicate: statement.raw("predicate") };
}
function readSubject(subject) {
  const digests2 = /* @__PURE__ */ new Map();
  const entries = subject.object("digest").entries();
  if (entries.length === 0 || entries.length > maxDigests) throw subject.invalid(`${subject.pathOf("digest")} should have 1 to ${maxDigests} digests`);
  for (const [algorithm, value] of entries) {
    if (typeof value !== "string") throw subject.invalid(`${subject.pathOf("digest")}.${algorithm.slice(0, 20)} should be a string`);
    digests2.set(algorithm, value);
  }
  const annotations = /* @__PURE__ */ new Map();
  for (const [key, value] of subject.optionalObject("annotations")?.entries() ?? []) annotations.set(key, value);
  return { name: subject.optionalString("name") ?? "", digests: digests2, annotations };
}

// src/verify/signature.ts
init_bytes();
init_error();
function verifyContent(entity, signer, policy) {
  if (entity.content.kind === "dsse-envelope") return verifyEnvelope(entity.content, signer, policy);
  if (policy.artifact === "any-subject") {
    throw new VerificationError("ARTIFACT_REQUIRED", "the bundle holds a plain signature, which can only be verified with its artifact");
  }
  if (policy.predicateType !== void 0) {
    throw new VerificationError("PREDICATE_TYPE_MISMATCH", `expected an attestation of type ${policy.predicateType}, found a plain signature`);
  }
  verifyMessage(entity.content, signer, policy.artifact);
  return void 0;
}
function verifyMessage(content, signer, artifact) {
  checkMessageDigest(content, artifact);
  const message = artifact.bytes;
  if (message !== void 0) {
    if (signer.algorithms.some((algorithm) => verifySignature(signer.key, algorithm, message, content.signature))) return;
    throw invalidSignature();
  }
  const missing = [];
  for (const algorithm of signer.algorithms) {
    const needed = digestOf(algorithm);
    if (needed === void 0) continue;
    const value = artifact.digest(needed);
    if (value === void 0) missing.push(needed);
    else if (verifyDigest(signer.key, algorithm, value, content.signature)) return;
  }
  if (signer.key.kind === "ed25519" && missing.length > 0) {
    throw new VerificationError("ARTIFACT_REQUIRED", "an Ed25519 signature can only be verified with the artifact itself, not with its digest (give the file instead)");
  }
  if (missing.length === signer.algorithms.length) {
    throw new VerificationError("ARTIFACT_REQUIRED", `the signature is over the ${missing[0]} digest of the artifact, which was not given (give the file, or that digest)`);
  }
  throw invalidSignature();
}
function checkMessageDigest(content, artifact) {
  if (content.digest === void 0) return;
  const actual = artifact.digest(content.digest.algorithm);
  if (actual !== void 0 && !equalBytes(actual, content.digest.value)) {
    throw new VerificationError(
      "ARTIFACT_MISMATCH",
      `the bundle is for an artifact with ${content.digest.algorithm} ${encodeHex(content.digest.value)}, the given one has ${encodeHex(actual)}`
    );
  }
}
function verifyEnvelope(envelope, signer, policy) {
  const encoded = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
  if (!signer.algorithms.some((algorithm) => verifySignature(signer.key, algorithm, encoded, envelope.signature))) throw invalidSignature();
  if (envelope.payloadType !== inTotoPayloadType) {
    throw new VerificationError("ARTIFACT_MISMATCH", `expected an in-toto statement (${inTotoPayloadType}), found a payload of type ${excerpt(envelope.payloadType)}`);
  }
  const statement = parseStatement(envelope.payload);
  if (policy.artifact !== "any-subject") checkSubjects(statement, policy.artifact);
  if (policy.predicateType !== void 0 && statement.predicateType !== policy.predicateType) {
    throw new VerificationError("PREDICATE_TYPE_MISMATCH", `invalid predicate type, expected ${policy.predicateType} got ${statement.predicateType}`);
  }
  return statement;
}
var subjectAlgorithms = ["sha256", "sha384", "sha512"];
function checkSubjects(statement, artifact) {
  for (const subject of statement.subjects) {
    let matches2 = 0;
    let contradicts = 0;
    for (const algorithm of subjectAlgorithms) {
      const stated = subject.digests.get(algorithm);
      const actual2 = stated === void 0 ? void 0 : artifact.digest(algorithm);
      if (stated === void 0 || actual2 === void 0) continue;
      if (stated.toLowerCase() === encodeHex(actual2)) matches2++;
      else contradicts++;
    }
    if (matches2 > 0 && contradicts === 0) return;
  }
  const actual = artifact.digest("sha256") ?? artifact.digest("sha512") ?? artifact.digest("sha384");
  throw new VerificationError(
    "ARTIFACT_MISMATCH",
    `provided artifact digest does not match any digest in statement: none of its ${statement.subjects.length} subjects is the artifact with digest ${actual === void 0 ? "unknown" : encodeHex(actual)}`
  );
}
function invalidSignature() {
  return new VerificationError("SIGNATURE_INVALID", "invalid signature: it was not made over this artifact with the key of the signer");
}

// src/verify/signer.ts
init_error();
function signerOf(entity, policy) {
  const { keyMaterial: keyMaterial2 } = entity;
  if (policy.signer.kind === "key") {
    if (keyMaterial2.kind === "certificate") {
      throw new VerificationError("KEY_MISMATCH", "expected a signature with the given key, found one with a certificate (verify it with --certificate-identity and --certificate-oidc-issuer)");
    }
    const { key: key2, algorithm } = policy.signer;
    return { key: key2, certificate: void 0, algorithms: algorithm === void 0 ? usualAlgorithms(key2) : [algorithm] };
  }
  if (keyMaterial2.kind !== "certificate") {
    throw new VerificationError("KEY_MISMATCH", "expected a signature with a certificate, found one with a public key (verify it with --key)");
  }
  const certificate = parseCertificate(keyMaterial2.leaf);
  const key = parsePublicKey(certificate.spki);
  return { key, certificate, algorithms: usualAlgorithms(key) };
}
function usualAlgorithms(key) {
  const usual = defaultSignatureAlgorithm(key);
  switch (key.kind) {
    case "ecdsa":
      return usual === "ecdsa-sha256" ? [usual] : [usual, "ecdsa-sha256"];
    case "ed25519":
      return ["ed25519", "ed25519ph"];
    case "rsa":
      return ["rsa-pkcs1-sha256", "rsa-pss-sha256", "rsa-pkcs1-sha384", "rsa-pss-sha384", "rsa-pkcs1-sha512", "rsa-pss-sha512"];
  }
}

// src/verify/timestamps.ts
init_bytes();
init_error();

// src/x509/timestamp-token.ts
import { createHash as createHash7 } from "node:crypto";
init_bytes();
init_error();
var maxTokenBytes = 128 * 1024;
var maxCertificates = 16;
var digestOids2 = { [oid.sha256]: "sha256", [oid.sha384]: "sha384", [oid.sha512]: "sha512" };
function parseTimestampResponse(bytes) {
  if (bytes.length > maxTokenBytes) throw new DecodingError("TOO_LARGE", `the timestamp is ${bytes.length} bytes long, more than the limit of ${maxTokenBytes}`);
  const response = parseDerSequence(bytes, "the timestamp response");
  const status = response.sequence("status");
  const code = status.smallInteger("status");
  if (code !== 0 && code !== 1) throw invalid9(`the timestamp authority refused the request (status ${code})`);
  if (status.peekTag() === tag.sequence) status.any("statusString");
  if (status.peekTag() === tag.bitString) status.any("failInfo");
  status.end();
  const token = parseContentInfo(response);
  response.end();
  return token;
}
function verifyTimestampSignature(token, signer, stamped) {
  const { imprint } = token;
  if (!equalBytes(digest(imprint.algorithm, stamped), imprint.digest)) throw unverified2("the timestamp is of other bytes than this signature");
  if (!equalBytes(digest(token.signer.digestAlgorithm, token.tstInfo), token.signer.messageDigest)) {
    throw unverified2("the messageDigest of the timestamp is not the digest of its content");
  }
  const { certificateHash } = token.signer;
  if (certificateHash !== void 0 && !equalBytes(certificateHashOf(signer, certificateHash.algorithm), certificateHash.value)) {
    throw unverified2("the timestamp names another signing certificate than that of its authority");
  }
  const key = parsePublicKey(signer.spki);
  if (!verifySignature(key, cmsSignatureAlgorithm(token.signer), token.signer.signedAttributes, token.signer.signature)) {
    throw unverified2("the signature of the timestamp does not verify with the key of its authority");
  }
}
function cmsSignatureAlgorithm({ signatureAlgorithm, digestAlgorithm: used }) {
  if (signatureAlgorithm.oid === oid.rsaEncryption && used !== "sha224") return `rsa-pkcs1-${used}`;
  return signatureAlgorithmFromOid(signatureAlgorithm.oid, signatureAlgorithm.parameters);
}
function namesSigner(token, certificate) {
  const { identifier } = token.signer;
  if (identifier.kind === "issuer-and-serial") {
    return equalBytes(identifier.issuer, certificate.issuer) && equalBytes(identifier.serialNumber, certificate.serialNumber);
  }
  return certificate.subjectKeyIdentifier !== void 0 && equalBytes(identifier.keyIdentifier, certificate.subjectKeyIdentifier);
}
function certificateHashOf(certificate, algorithm) {
  return algorithm === "sha1" ? createHash7("sha1").update(certificate.bytes).digest() : digest(algorithm, certificate.bytes);
}
function parseContentInfo(response) {
  const contentInfo = response.sequence("timeStampToken");
  demandOid(contentInfo.oid("contentType"), oid.signedData, "the timestamp token");
  const wrapped = demand(contentInfo.context(0, "content"), "the content of the timestamp token");
  contentInfo.end();
  const signedData2 = wrapped.sequence("signedData");
  wrapped.end();
  const version = signedData2.smallInteger("version");
  if (version !== 3) throw invalid9(`the SignedData has version ${version}, expected 3`);
  signedData2.set("digestAlgorithms");
  const content = signedData2.sequence("encapContentInfo");
  demandOid(content.oid("eContentType"), oid.tstInfo, "the content of the timestamp");
  const eContent = demand(content.context(0, "eContent"), "the eContent of the timestamp");
  content.end();
  const tstInfo2 = eContent.octetString("eContent");
  eContent.end();
  const certificates = parseCertificates(signedData2);
  signedData2.optional(contextTag(1, true), "crls");
  const signerInfos = signedData2.set("signerInfos");
  const signer = parseSignerInfo(signerInfos.sequence("signerInfo"));
  if (!signerInfos.done) throw invalid9("the timestamp has more than one signer");
  signedData2.end();
  return { ...parseTstInfo(tstInfo2), tstInfo: tstInfo2, certificates, signer };
}
function parseCertificates(signedData2) {
  const set = signedData2.context(0, "certificates");
  const certificates = [];
  while (set !== void 0 && !set.done) {
    if (certificates.length === maxCertificates) throw invalid9(`the timestamp brings more than ${maxCertificates} certificates`);
    certificates.push(set.next(tag.sequence, "a certificate").bytes);
  }
  return certificates;
}
function parseTstInfo(bytes) {
  const info = parseDerSequence(bytes, "TSTInfo");
  const version = info.smallInteger("version");
  if (version !== 1) throw invalid9(`TSTInfo has version ${version}, expected 1`);
  const policy = info.oid("policy");
  const imprint = info.sequence("messageImprint");
  const algorithm = digestAlgorithm(imprint, "hashAlgorithm");
  const hashed = imprint.octetString("hashedMessage");
  imprint.end();
  const serialNumber = info.integerBytes("serialNumber");
  const genTime = info.generalizedTime("genTime");
  info.optional(tag.sequence, "accuracy");
  if (info.peekTag() === tag.boolean) info.boolean("ordering");
  const nonce = info.peekTag() === tag.integer ? info.integerBytes("nonce") : void 0;
  info.optional(contextTag(0, true), "tsa");
  if (info.optional(contextTag(1, true), "extensions") !== void 0) throw invalid9("TSTInfo has extensions, none of which is understood");
  info.end();
  return { genTime, imprint: { algorithm, digest: hashed }, policy, serialNumber, nonce };
}
function parseSignerInfo(info) {
  const version = info.smallInteger("version");
  const identifier = parseSignerIdentifier(info, version);
  const signerDigest = digestAlgorithm(info, "digestAlgorithm");
  const attributes = info.next(contextTag(0, true), "signedAttrs");
  const signatureAlgorithm = parseAlgorithmIdentifier(info.sequence("signatureAlgorithm"));
  const signature = info.octetString("signature");
  info.optional(contextTag(1, true), "unsignedAttrs");
  info.end();
  return {
    identifier,
    digestAlgorithm: signerDigest,
    signatureAlgorithm,
    signature,
    // RFC 5652 5.4: hashed with the tag of a SET OF instead of the implicit [0].
    signedAttributes: concatBytes(Uint8Array.of(tag.set), attributes.bytes.subarray(1)),
    ...parseSignedAttributes(attributes.content)
  };
}
function parseSignerIdentifier(info, version) {
  const keyIdentifier = info.optional(contextTag(0, false), "subjectKeyIdentifier");
  if (version !== (keyIdentifier === void 0 ? 1 : 3)) throw invalid9(`the SignerInfo has version ${version}, which does not fit its identifier`);
  if (keyIdentifier !== void 0) return { kind: "subject-key-identifier", keyIdentifier: keyIdentifier.content };
  const name = info.sequence("issuerAndSerialNumber");
  const issuer2 = name.next(tag.sequence, "issuer").bytes;
  const serialNumber = name.integerBytes("serialNumber");
  name.end();
  return { kind: "issuer-and-serial", issuer: issuer2, serialNumber };
}
function parseSignedAttributes(content) {
  const attributes = new DerReader(content, "the signed attributes", 4);
  const seen = /* @__PURE__ */ new Set();
  let contentType;
  let messageDigest;
  let certificateHash;
  while (!attributes.done) {
    const attribute = attributes.sequence("an attribute");
    const type = attribute.oid("attrType");
    const values = attribute.set("attrValues");
    attribute.end();
    if (seen.has(type)) throw invalid9(`the timestamp has the signed attribute ${type} twice`);
    seen.add(type);
    if (type === oid.contentTypeAttribute) contentType = values.oid("the content type");
    else if (type === oid.messageDigestAttribute) messageDigest = values.octetString("the message digest");
    else if (type === oid.signingCertificateV2Attribute) certificateHash = parseSigningCertificate(values.sequence("SigningCertificateV2"), "sha256");
    else if (type === oid.signingCertificateAttribute) certificateHash ??= parseSigningCertificate(values.sequence("SigningCertificate"), "sha1");
    else continue;
    values.end();
  }
  if (contentType !== oid.tstInfo) throw invalid9("the signed attributes do not say that the content is a timestamp");
  if (messageDigest === void 0) throw invalid9("the signed attributes have no messageDigest");
  return { messageDigest, certificateHash };
}
function parseSigningCertificate(attribute, defaultAlgorithm) {
  const ids = attribute.sequence("certs");
  const id = ids.sequence("ESSCertID");
  const isExplicit = defaultAlgorithm === "sha256" && id.peekTag() === tag.sequence;
  const algorithm = isExplicit ? digestAlgorithm(id, "hashAlgorithm") : defaultAlgorithm;
  return { algorithm, value: id.octetString("certHash") };
}
function digestAlgorithm(reader, what) {
  const identifier = parseAlgorithmIdentifier(reader.sequence(what));
  const algorithm = digestOids2[identifier.oid];
  if (algorithm === void 0) throw invalid9(`the timestamp uses the digest algorithm ${identifier.oid}, expected SHA-256, SHA-384 or SHA-512`);
  return algorithm;
}
function demandOid(found, expected, what) {
  if (found !== expected) throw invalid9(`${what} has type ${found}, expected ${expected}`);
}
function demand(value, what) {
  if (value === void 0) throw invalid9(`${what} is missing`);
  return value;
}
function invalid9(message) {
  return new DecodingError("TIMESTAMP_INVALID", message);
}
function unverified2(message) {
  return new VerificationError("TIMESTAMP_UNVERIFIED", message);
}

// src/verify/timestamps.ts
function verifyTimestamps(tokens, stamped, trust, notes) {
  const times = [];
  const operators = /* @__PURE__ */ new Set();
  for (const [index, bytes] of tokens.entries()) {
    if (tokens.slice(0, index).some((earlier) => equalBytes(earlier, bytes))) {
      throw new VerificationError("TIMESTAMP_UNVERIFIED", "the bundle has the same timestamp twice");
    }
    const token = parseTimestampResponse(bytes);
    const authority = findAuthority(token, trust.timestampAuthorities, notes);
    if (authority === void 0) continue;
    verifyTimestampSignature(token, authority.signer, stamped);
    operators.add(authority.authority.operator);
    times.push({ time: new Date(token.genTime), source: "timestamp-authority", authority: authority.authority.uri });
  }
  return { times, operators: operators.size };
}
function findAuthority(token, authorities, notes) {
  let failure;
  for (const authority of authorities) {
    const signer = signerOf2(token, authority);
    if (signer === void 0) continue;
    try {
      checkSigner(signer, authority, token.genTime);
      return { authority, signer };
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      failure = error;
    }
  }
  if (failure !== void 0) throw failure;
  notes.push("a timestamp of an authority that the trusted root does not have was not counted");
  return void 0;
}
function signerOf2(token, authority) {
  if (authority.leaf !== void 0) return namesSigner(token, authority.leaf) ? authority.leaf : void 0;
  for (const der of token.certificates) {
    const certificate = parseCertificate(der);
    if (!namesSigner(token, certificate)) continue;
    try {
      findIssuerPath(certificate, authority.authority);
      return certificate;
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
    }
  }
  return void 0;
}
function checkSigner(signer, authority, genTime) {
  if (!isWithin(authority.window, genTime)) {
    throw unverified3(`the timestamp is of ${new Date(genTime).toISOString()}, its authority is trusted from ${formatWindow(authority.window)}`);
  }
  const purposes = signer.extendedKeyUsage ?? [];
  if (purposes.length !== 1 || purposes[0] !== oid.timeStamping || !isCritical(signer, oid.extendedKeyUsage)) {
    throw unverified3("the certificate of the timestamp authority is not for time stamping alone (critical extended key usage)");
  }
  if (signer.basicConstraints?.ca === true) throw unverified3("the certificate that signed the timestamp is that of a certificate authority");
  if (signer.keyUsage?.digitalSignature === false) throw unverified3("the certificate of the timestamp authority is not for signatures (key usage)");
  if (signer === authority.authority.anchor) checkValidAt(signer, genTime);
  else if (signer === authority.leaf) verifyKnownLeafPath(signer, authority.authority, [genTime]);
  else verifyPath(signer, authority.authority, [genTime]);
}
function isCritical(certificate, extensionOid) {
  return certificate.extensions.some((extension2) => extension2.oid === extensionOid && extension2.critical);
}
function unverified3(message) {
  return new VerificationError("TIMESTAMP_UNVERIFIED", message);
}

// src/verify/verify.ts
function verify2(entity, trust, policy, options = {}) {
  const notes = [...trust.unusable];
  const thresholds = resolveThresholds(policy, options.thresholds);
  const signer = signerOf(entity, policy);
  const timestamps = verifyTimestamps(entity.timestamps, entity.content.signature, trust, notes);
  const logged = verifyLogEntries(entity, signer, policy.artifact, trust, timestamps.times, notes);
  checkThresholds(thresholds, timestamps, logged, notes);
  const times = observedTimes([...timestamps.times, ...logged.times], options.currentTime);
  const certificateTimestamps = signer.certificate === void 0 ? [] : checkCertificate(entity, signer, trust, thresholds, times, options, notes);
  if (policy.signer.kind === "key") checkKeyWindow(policy.signer, times);
  const statement = verifyContent(entity, signer, policy);
  return {
    signer: identify(signer, policy),
    logEntries: logged.entries,
    times,
    certificateTimestamps,
    statement,
    notes
  };
}
function resolveThresholds(policy, given = {}) {
  const thresholds = {
    logEntries: given.logEntries ?? 1,
    scts: given.scts ?? 1,
    times: given.times ?? (policy.signer.kind === "certificate" ? 1 : 0),
    signedTimestamps: given.signedTimestamps ?? 0,
    integratedTimes: given.integratedTimes ?? 0
  };
  for (const [name, value] of Object.entries(thresholds)) {
    if (!Number.isSafeInteger(value) || value < 0) throw new UsageError("POLICY_INVALID", `the threshold ${name} should be a whole number from 0, found ${value}`);
  }
  return thresholds;
}
function checkThresholds(thresholds, timestamps, logged, notes) {
  const because = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  if (logged.operators < thresholds.logEntries) {
    throw new VerificationError("LOG_ENTRY_UNVERIFIED", `not enough verified log entries from transparency log: ${logged.operators} < ${thresholds.logEntries}${because}`);
  }
  if (timestamps.operators < thresholds.signedTimestamps) {
    throw new VerificationError("TIME_UNVERIFIED", `threshold not met for verified signed timestamps: ${timestamps.operators} < ${thresholds.signedTimestamps}${because}`);
  }
  if (logged.timeOperators < thresholds.integratedTimes) {
    throw new VerificationError("TIME_UNVERIFIED", `threshold not met for verified log entry integrated timestamps: ${logged.timeOperators} < ${thresholds.integratedTimes}${because}`);
  }
  const total = timestamps.operators + logged.timeOperators;
  if (total < thresholds.times) {
    throw new VerificationError("TIME_UNVERIFIED", `no verified time of the signature: ${total} of ${thresholds.times} found, from a timestamp authority or a signed entry timestamp${because}`);
  }
}
function observedTimes(verified, currentTime) {
  if (verified.length > 0 || currentTime === void 0) return verified.toSorted((a, b) => a.time.getTime() - b.time.getTime());
  return [{ time: currentTime, source: "current-time", authority: "" }];
}
function checkCertificate(entity, signer, trust, thresholds, times, options, notes) {
  if (signer.certificate === void 0) return [];
  if (times.length === 0) {
    throw new VerificationError("TIME_UNVERIFIED", "there is no verified time to check the signing certificate at, and the current time was not given");
  }
  if (entity.keyMaterial.kind === "certificate") checkExtraCertificates(entity.keyMaterial.chain, trust);
  const verified = verifyCertificate(
    signer.certificate,
    trust,
    times.map(({ time }) => time.getTime())
  );
  return thresholds.scts === 0 ? [] : verifyScts(verified, trust, thresholds.scts, options.detachedSct, notes);
}
function checkKeyWindow({ window }, times) {
  if (window === void 0) return;
  if (times.length === 0) throw new VerificationError("TIME_UNVERIFIED", "the key is valid for a time only, and there is no verified time of the signature");
  for (const { time } of times) {
    if (!isWithin(window, time.getTime())) {
      throw new VerificationError("KEY_MISMATCH", `the key is valid from ${formatWindow(window)}, not at the time of the signature, ${time.toISOString()}`);
    }
  }
}
function identify(signer, policy) {
  if (signer.certificate === void 0 || policy.signer.kind === "key") return { kind: "key", key: signer.key };
  const { certificate } = signer;
  return {
    kind: "certificate",
    identity: verifyIdentity(certificate, policy.signer.identities),
    issuer: certificate.sigstore.issuerV2 ?? certificate.sigstore.issuerV1,
    extensions: certificate.sigstore,
    certificate
  };
}

// src/verify/verifier.ts
function createVerifier(options) {
  const { trust, identities, key, predicateType: predicateType2, ...verifyOptions } = options;
  const signer = readSigner(identities, key);
  return {
    verify(bundle, artifact) {
      const entity = typeof bundle === "string" || bundle instanceof Uint8Array ? parseBundle(bundle) : bundle;
      const policy = {
        artifact: artifact instanceof Uint8Array ? artifactFromBytes(artifact) : artifact,
        signer,
        ...predicateType2 === void 0 ? {} : { predicateType: predicateType2 }
      };
      return verify2(entity, trust, policy, verifyOptions);
    }
  };
}
function readSigner(identities, key) {
  if (key !== void 0 && identities === void 0) return { kind: "key", key: parsePublicKeyPem(key) };
  if (key === void 0 && identities !== void 0 && identities.length > 0) return { kind: "certificate", identities };
  throw new UsageError("POLICY_INVALID", "a verifier needs either identities (at least one) or a key");
}

// bench/countersign.ts
function createCountersign() {
  const loaded = /* @__PURE__ */ new Map();
  const trustOf = (root) => {
    const known2 = loaded.get(root) ?? loadTrustMaterial(root.json);
    loaded.set(root, known2);
    return known2;
  };
  return {
    name: "countersign",
    prepare: (testCase) => {
      const { signer, json } = testCase;
      const who = signer.kind === "key" ? { key: signer.pem } : { identities: [{ subjectAlternativeName: signer.subjectAlternativeName, issuer: signer.issuer }] };
      const verifier = createVerifier({ trust: trustOf(testCase.trustedRoot), ...who });
      const artifact = artifactOf(testCase);
      return () => {
        verifier.verify(json, artifact);
      };
    },
    // All that is kept from one bundle to the next: a checkpoint whose signature was checked.
    forget: () => {
      for (const trust of loaded.values()) for (const log of trust.logs) log.checkedCheckpoints.clear();
    }
  };
}
function artifactOf({ artifact }) {
  return artifact.kind === "bytes" ? artifact.bytes : artifactFromDigests({ [artifact.algorithm]: artifact.digest });
}

// bench/bare-crypto.ts
import { constants as constants3, createPublicKey as createPublicKey3, verify as verify4 } from "node:crypto";
init_bytes();

// bench/key-import.ts
import { X509Certificate, createPublicKey as createPublicKey2, verify as verify3 } from "node:crypto";
init_bytes();

// bench/rounds.ts
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
function timed(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

// bench/key-import.ts
var coordinateBytes = { "P-256": 32, "P-384": 48, "P-521": 66 };
var fastest;
function fastestImport(key, certificate) {
  const forms = importsOf(key, certificate);
  fastest ??= findFastest(forms);
  return forms.get(fastest) ?? (() => importSpki(key.spki));
}
function importsOf(key, certificate) {
  const forms = /* @__PURE__ */ new Map([
    ["SubjectPublicKeyInfo", () => importSpki(key.spki)],
    ["X509Certificate.publicKey", () => new X509Certificate(certificate).publicKey]
  ]);
  if (key.kind === "ecdsa") forms.set("JWK", () => importJwk(key.curve, key.spki));
  return forms;
}
function findFastest(forms) {
  const times = /* @__PURE__ */ new Map();
  for (let round = 0; round < 9; round++) {
    for (const [form, importKey] of forms) times.set(form, [...times.get(form) ?? [], timed(() => useOften(importKey))]);
  }
  const medians = [...times].map(([form, measured]) => ({ form, time: median(measured) }));
  return medians.reduce((best, candidate) => candidate.time < best.time ? candidate : best).form;
}
function useOften(importKey) {
  const signature = Uint8Array.of(48, 6, 2, 1, 1, 2, 1, 1);
  for (let count = 0; count < 20; count++) verify3("sha256", signature, importKey(), signature);
}
function importJwk(curve, spki) {
  const length = coordinateBytes[curve];
  const x = encodeBase64Url(spki.subarray(-2 * length, -length));
  const y = encodeBase64Url(spki.subarray(-length));
  return createPublicKey2({ key: { kty: "EC", crv: curve, x, y }, format: "jwk" });
}
function importSpki(spki) {
  return createPublicKey2({ key: asBuffer(spki), format: "der", type: "spki" });
}

// bench/bare-crypto.ts
function createBareCrypto() {
  const loaded = /* @__PURE__ */ new Map();
  return {
    name: "bare node:crypto",
    prepare: (testCase) => {
      const trust = loaded.get(testCase.trustedRoot) ?? loadTrustMaterial(testCase.trustedRoot.json);
      loaded.set(testCase.trustedRoot, trust);
      const operations = bareOperations(testCase, trust);
      return () => {
        for (const { kind, run } of operations) if (!run()) throw new Error(`the ${kind} does not verify`);
      };
    },
    forget: () => {
    }
  };
}
function bareOperations(testCase, trust) {
  const entity = parseBundle(testCase.json);
  const operations = [...signatureOperations(testCase, entity), ...certificateOperations(entity, trust), ...logOperations(entity, trust), ...timestampOperations(entity, trust)];
  for (const { kind, run } of operations) if (!run()) throw new Error(`${testCase.name}: the ${kind} does not verify`);
  return operations;
}
function signatureOperations({ signer, artifact }, { content, keyMaterial: keyMaterial2 }) {
  const signed = content.kind === "dsse-envelope" ? preAuthenticationEncoding(content.payloadType, content.payload) : bytesOf(artifact);
  if (signer.kind === "key") {
    const key2 = parsePublicKeyPem(signer.pem);
    return [verification("signature", importSpki2(key2), defaultSignatureAlgorithm(key2), signed, content.signature)];
  }
  if (keyMaterial2.kind !== "certificate") throw new Error("a bundle with a certificate was expected");
  const key = parsePublicKey(parseCertificate(keyMaterial2.leaf).spki);
  const importKey = fastestImport(key, keyMaterial2.leaf);
  const hash3 = digestOf(defaultSignatureAlgorithm(key)) ?? null;
  return [{ kind: "signature and key import", run: () => verify4(hash3, signed, importKey(), content.signature) }];
}
function bytesOf(artifact) {
  if (artifact.kind === "bytes") return artifact.bytes;
  throw new Error("a plain signature can only be checked by a bare operation with the bytes of the artifact");
}
function certificateOperations({ keyMaterial: keyMaterial2 }, trust) {
  if (keyMaterial2.kind !== "certificate") return [];
  const leaf = parseCertificate(keyMaterial2.leaf);
  const issuer2 = issuerOf2(leaf, trust);
  const { oid: oid2, parameters: parameters2 } = leaf.signatureAlgorithm;
  const operations = [verification("leaf certificate", importSpki2(issuer2), signatureAlgorithmFromOid(oid2, parameters2), leaf.tbs, leaf.signature)];
  for (const sct of parseEmbeddedScts(leaf)) {
    const log = findLog(trust.certificateTransparencyLogs, sct.logId);
    if (log !== void 0) operations.push(verification("SCT", importSpki2(log.key), log.algorithm, embeddedSctSignedBytes(sct, leaf, issuer2.spki), sct.signature));
  }
  return operations;
}
function issuerOf2(leaf, trust) {
  const { oid: oid2, parameters: parameters2 } = leaf.signatureAlgorithm;
  const issuer2 = trust.certificateAuthorities.flatMap(({ authority }) => [...authority.intermediates, authority.anchor]).filter(({ subject }) => equalBytes(subject, leaf.issuer)).find((candidate) => verification("leaf certificate", importSpki2(candidate), signatureAlgorithmFromOid(oid2, parameters2), leaf.tbs, leaf.signature).run());
  if (issuer2 === void 0) throw new Error("the trusted root has not issued the certificate");
  return issuer2;
}
function logOperations({ logEntries }, trust) {
  const operations = [];
  for (const entry of logEntries) {
    const log = findLog(trust.logs, entry.logId);
    if (log === void 0) continue;
    const key = importSpki2(log.key);
    if (entry.signedEntryTimestamp !== void 0) operations.push(verification("log promise", key, log.algorithm, promiseOf(entry), entry.signedEntryTimestamp));
    if (entry.inclusionProof?.checkpoint === void 0) continue;
    const { signedBytes, signatures } = parseSignedNote(entry.inclusionProof.checkpoint);
    const candidates = signatures.map(({ signature }) => verification("checkpoint", key, log.algorithm, signedBytes, signature));
    operations.push(...candidates.filter(({ run }) => run()).slice(0, 1));
  }
  return operations;
}
function promiseOf(entry) {
  const body = encodeBase64(entry.body);
  return encodeUtf8(`{"body":"${body}","integratedTime":${entry.integratedTime},"logID":"${encodeHex(entry.logId)}","logIndex":${entry.logIndex}}`);
}
function timestampOperations({ timestamps }, trust) {
  return timestamps.flatMap((bytes) => {
    const token = parseTimestampResponse(bytes);
    const known2 = trust.timestampAuthorities.flatMap(({ leaf }) => leaf ?? []);
    const signer = [...known2, ...token.certificates.map(parseCertificate)].find((certificate) => namesSigner(token, certificate));
    if (signer === void 0) return [];
    const { signatureAlgorithm, signedAttributes, signature } = token.signer;
    return [verification("timestamp", importSpki2(signer), signatureAlgorithmFromOid(signatureAlgorithm.oid, signatureAlgorithm.parameters), signedAttributes, signature)];
  });
}
function importSpki2({ spki }) {
  return createPublicKey3({ key: asBuffer(spki), format: "der", type: "spki" });
}
function verification(kind, key, algorithm, signed, signature) {
  const hash3 = digestOf(algorithm) ?? null;
  if (!algorithm.startsWith("rsa-pss")) return { kind, run: () => verify4(hash3, signed, key, signature) };
  const padded = { key, padding: constants3.RSA_PKCS1_PSS_PADDING, saltLength: constants3.RSA_PSS_SALTLEN_AUTO };
  return { kind, run: () => verify4(hash3, signed, padded, signature) };
}

// bench/zz-prof.ts
var cases = process.env["SET"] === "public" ? publicCases() : universeSets(200)[process.env["SET"] === "v2" ? 1 : 0].cases;
var ours = process.env["BARE"] ? createBareCrypto() : createCountersign();
var fs = cases.map((c) => ours.prepare(c));
var n = Number(process.env["N"] ?? 20);
for (let i = 0; i < 3; i++) {
  ours.forget();
  for (const f of fs) f();
}
var t = performance.now();
for (let i = 0; i < n; i++) {
  ours.forget();
  for (const f of fs) f();
}
console.log(((performance.now() - t) * 1e3 / n / fs.length).toFixed(0), "us");
