// What `import ... from "kvs"` gives. The engine adds an export for each name that every script sees (`host` ...).
const engine = globalThis.kvs$engine;
delete globalThis.kvs$engine;

// The same script gives the same bytes on every machine: chance has the seed of the run, and the clock stands still.
let chance = BigInt.asUintN(64, BigInt(engine.seed()) * 0x9e3779b97f4a7c15n) || 1n;
Math.random = () => {
    chance ^= chance >> 12n;
    chance = BigInt.asUintN(64, chance ^ (chance << 25n));
    chance ^= chance >> 27n;
    return Number(BigInt.asUintN(64, chance * 0x2545f4914f6cdd1dn) >> 11n) / 2 ** 53;
};
globalThis.Date = new Proxy(Date, {
    construct: (date, values) => Reflect.construct(date, values.length === 0 ? [0] : values),
    apply: (date) => new date(0).toString(),
    get: (date, name) => (name === "now" ? () => 0 : Reflect.get(date, name)),
});
Date.prototype.constructor = Date;

const ORIGIN = Symbol("origin");

function withOrigin(object, origin) {
    Object.defineProperty(object, ORIGIN, { value: origin });
    return object;
}

const hex = (value) => "0x" + value.toString(16);

/** A half-open range of addresses. */
export class Range {
    constructor(start, end) {
        this.start = engine.quantity(start);
        this.end = engine.quantity(end);
        withOrigin(this, engine.range(this.start, this.end));
        Object.freeze(this);
    }
    get size() {
        return BigInt.asUintN(64, this.end - this.start);
    }
    toString() {
        return `${hex(this.start)} .. ${hex(this.end)}`;
    }
}

/** A byte string. */
export class Bytes {
    constructor(origin, digits) {
        this.hex = digits;
        withOrigin(this, origin);
        Object.freeze(this);
    }
    get length() {
        return this.hex.length / 2;
    }
    at(index) {
        return Number.parseInt(this.hex.substr(2 * index, 2), 16);
    }
    toUint8Array() {
        return Uint8Array.from({ length: this.length }, (_, index) => this.at(index));
    }
    toString() {
        return `hex"${this.hex}"`;
    }
}

/** The state of an entry: `leaf(4K, rwx)`. */
export class State {
    constructor(origin, name, args, fields, text) {
        Object.assign(this, fields);
        this.name = name;
        this.args = args;
        Object.defineProperty(this, "toString", { value: () => text });
        withOrigin(this, origin);
        Object.freeze(this);
    }
}

class Opaque {
    constructor(origin, text) {
        Object.defineProperty(this, "toString", { value: () => text });
        withOrigin(this, origin);
        Object.freeze(this);
    }
}

/** Something was asked of the machine that cannot be right. */
export class KvsError extends Error {
    constructor(code, message) {
        super(message);
        this.name = "KvsError";
        this.code = code;
    }
}

/** An assertion does not hold. */
export class AssertionError extends Error {
    constructor(message, notes = []) {
        super(message);
        this.name = "AssertionError";
        this.notes = notes;
    }
}

// The frames of the script itself, as "file:line".
function here() {
    for (const line of new Error().stack.split("\n")) {
        const frame = /^\s*at (?:.* \()?(.+\.m?js):(\d+)(?::[\d-]+)?\)?$/.exec(line);
        if (frame && !engine.isLibrary(frame[1])) return `${frame[1]}:${frame[2]}`;
    }
    return "";
}

engine.install({
    quantity: (digits) => BigInt(digits),
    range: (start, end) => new Range(start, end),
    bytes: (origin, digits) => new Bytes(origin, digits),
    state: (origin, name, args, fields, text) => new State(origin, name, args, fields, text),
    list: (...items) => items,
    record: (...namesAndValues) => {
        const record = {};
        for (let i = 0; i < namesAndValues.length; i += 2) record[namesAndValues[i]] = namesAndValues[i + 1];
        return record;
    },
    opaque: (origin, text) => new Opaque(origin, text),
    nothing: undefined,
    origin: (value) => (typeof value === "object" && value !== null ? value[ORIGIN] : undefined),
    raise: (code, message) => {
        throw new KvsError(code, message);
    },
    reason: (error) => ({ name: error.name, message: error.message, code: error.code, notes: error.notes ?? [] }),
    refuse: (message, notes) => {
        throw new AssertionError(message, notes);
    },
    here,
});

/** Declares a VM: `vm({ type: "tdx", vcpus: 1, memory: [{ gpa: 0, size: "64M", private: true }] })`. */
export function vm(declaration) {
    return engine.declare(declaration, declaration?.name ?? engine.variableAt(here()));
}

/** The range `start .. end`; a text may hold both: `range("0 .. 2M")`. */
export function range(start, end) {
    return end === undefined ? engine.rangeOf(start) : new Range(start, end);
}

/** The quantity of a text, a number or a BigInt: `size("64M") === 67108864n`. */
export const size = (value) => engine.quantity(value);

/** The bytes of a hexadecimal text, an array or a Uint8Array. */
export const bytes = (content) => engine.bytes(content);

/** The content of a file beside the script. */
export const file = (path) => engine.file(path);

/** The path of an installed file, `installed("/boot/vmlinuz-*")`; where there is none the test is skipped. */
export const installed = (pattern) => engine.installed(pattern);

/** So many zero bytes; without a count as many as the operation needs. */
export const zeros = (count) => engine.zeros(count ?? null);

const assembly =
    (bits) =>
    (texts, ...values) =>
        engine.guest(bits, String.raw({ raw: texts.raw ?? [texts] }, ...values), engine.variableAt(here()));

/** Guest programs in Intel syntax: asm64`mov rax, [0x1000]; hlt`. */
export const asm16 = assembly(16);
export const asm32 = assembly(32);
export const asm64 = assembly(64);

/** The script runs once under each of these; gives the one of this run. */
export function semantics(...names) {
    return engine.semantics(names);
}

/** A test; it has a machine of its own, for which the whole module is evaluated anew. */
export function test(name, body) {
    engine.test(name, body);
}

/** Runs before each test. */
export function setup(body) {
    engine.setup(body);
}

/**
 * Runs the tasks in every order of their steps: `race("name", { a: () => ..., b: () => ... }, { explore, never, always,
 * sometimes })`. Throws an AssertionError with the shortest schedule if one of the claims does not hold.
 */
export function race(name, tasks, options = {}) {
    return engine.race(name, tasks, options);
}

/** Prints the picture or the value of something. */
export const show = (value) => engine.show(value);

/** Records the answer of a question script, a cell of `kvs matrix`. */
export const answer = (value) => engine.answer(value);

/** The last event that touched the object. */
export const why = (object) => engine.why(object);

/** The value in one line, as KVS writes it. */
export const text = (value) => engine.text(value);

function refuse(message, notes) {
    throw new AssertionError(message, notes ?? []);
}

/** Throws an AssertionError unless `condition` holds. */
export function assert(condition, message = "assertion failed") {
    if (!condition) refuse(message, []);
}

Object.assign(assert, {
    /** Both are the same; quantities compare by value, 1 and 1n are the same. */
    equal(actual, expected) {
        if (!Object.is(actual, expected) && !engine.same(actual, expected)) {
            refuse("these are not equal", [`left: ${engine.text(actual)}`, `right: ${engine.text(expected)}`]);
        }
    },
    /** They are not. */
    notEqual(actual, expected) {
        if (Object.is(actual, expected) || engine.same(actual, expected)) {
            refuse("these are equal", [`both: ${engine.text(actual)}`]);
        }
    },
    /** The state, outcome or value matches a pattern of KVS: "leaf(4K, rwx)", "FREE", "ok left 0". */
    is(value, pattern) {
        const notes = engine.mismatch(value, pattern, false);
        if (notes !== null) refuse(`this is not ${pattern}`, notes);
    },
    /** It does not match. */
    isNot(value, pattern) {
        const notes = engine.mismatch(value, pattern, true);
        if (notes !== null) refuse(`this is ${pattern}`, notes);
    },
    /** The picture of the object; indentation common to all lines does not count. */
    shows(object, picture) {
        const notes = engine.pictureMismatch(object, picture);
        if (notes !== null) refuse("the picture differs", notes);
    },
    /** The outcome is called `name` and has these details. */
    outcome(outcome, name, details = {}) {
        const notes = engine.outcomeMismatch(outcome, name, details);
        if (notes !== null) refuse(`the outcome is not ${name}`, notes);
    },
    /** The function throws; a text must occur in the message. */
    throws(body, text = "") {
        let thrown;
        try {
            body();
        } catch (error) {
            thrown = error;
        }
        if (thrown === undefined) refuse("nothing was thrown", []);
        if (!String(thrown.message ?? thrown).includes(text)) {
            refuse("another error was thrown", [`thrown: ${thrown}`, `wanted: ${text}`]);
        }
    },
});

/** The names of a .kvs file; `import { name } from "./file.kvs"` is the way to write it. */
export const imported = (path) => engine.imported(path);
