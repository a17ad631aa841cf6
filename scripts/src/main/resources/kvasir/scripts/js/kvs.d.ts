// What `import ... from "kvs"` gives, for editors and for tsc. Every 64-bit quantity that comes back is a bigint.

/** 4096, 0x1000n or "64M". */
export type Quantity = bigint | number | string;
/** A Range, [start, end], "0 .. 2M", { start, end } or { gpa, size }. */
export type RangeLike =
    | Range
    | string
    | readonly [Quantity, Quantity]
    | { start: Quantity; end: Quantity }
    | { gpa: Quantity; size: Quantity };
/** Bytes, a hexadecimal text or an array of numbers below 256. */
export type BytesLike = Bytes | string | readonly number[] | Uint8Array;

/** A half-open range of addresses. */
export class Range {
    constructor(start: Quantity, end: Quantity);
    readonly start: bigint;
    readonly end: bigint;
    readonly size: bigint;
}

/** A byte string. */
export class Bytes {
    private constructor();
    readonly hex: string;
    readonly length: number;
    at(index: number): number;
    toUint8Array(): Uint8Array;
}

/** The state of an entry: `leaf(4K, rwx)`; its fields by name. */
export class State {
    private constructor();
    readonly name: string;
    readonly args: readonly unknown[];
    readonly [field: string]: any;
}

/** What an operation came to; its details by name. A failed one that is not looked at fails the test. */
export interface Outcome {
    readonly name: string;
    readonly ok: boolean;
    readonly reason: string;
    readonly [detail: string]: any;
}

/** A guest program. */
export interface Guest {
    readonly "guest program": unique symbol;
}

/** Something was asked of the machine that cannot be right. */
export class KvsError extends Error {
    constructor(code: string, message: string);
    readonly code: string;
}

/** An assertion does not hold. */
export class AssertionError extends Error {
    constructor(message: string, notes?: readonly string[]);
    readonly notes: readonly string[];
}

/** The range `start .. end`; a text may hold both: range("0 .. 2M"). */
export function range(both: string): Range;
export function range(start: Quantity, end: Quantity): Range;
/** The quantity of a text, a number or a bigint: size("64M") === 67108864n. */
export function size(value: Quantity): bigint;
/** The bytes of a hexadecimal text, an array or a Uint8Array. */
export function bytes(content: BytesLike): Bytes;
/** The content of a file beside the script. */
export function file(path: string): Bytes;
/** The path of an installed file, `installed("/boot/vmlinuz-*")`; where there is none the test is skipped. */
export function installed(pattern: string): string;
/** So many zero bytes; without a count as many as the operation needs. */
export function zeros(count?: Quantity): Bytes;
/** Guest programs in Intel syntax: asm64`mov rax, [0x1000]; hlt`. */
export function asm16(texts: TemplateStringsArray | string, ...values: unknown[]): Guest;
export function asm32(texts: TemplateStringsArray | string, ...values: unknown[]): Guest;
export function asm64(texts: TemplateStringsArray | string, ...values: unknown[]): Guest;
/** The script runs once under each of these; gives the one of this run. */
export function semantics(...names: Semantics[]): Semantics;
/** A test; it has a machine of its own, for which the whole module is evaluated anew. */
export function test(name: string, body: () => void | Promise<void>): void;
/** Runs before each test. */
export function setup(body: () => void | Promise<void>): void;
/** What the explorer itself finds. */
export type RaceFinding = "deadlock" | "livelock" | "lock order inversion" | "invariant violation" | "kvm_bug";
/** A finding, or a condition on the outcomes of the tasks and on the machine as it is at the end. */
export type RaceClaim = RaceFinding | ((outcomes: Record<string, any>) => boolean);
/** What the host does meanwhile: a task of that name, which does `host.inject`. */
export type RaceFault = "signal" | "operand_busy" | "allocation_failure" | "memory_pressure" | "invalidation";
/** How a race is searched, and what must hold of all its schedules together. */
export interface RaceOptions {
    explore?: {
        preemptions?: number;
        states?: number;
        schedules?: number;
        steps?: number;
        fair_steps?: number;
        walks?: number;
        depth?: number;
        seed?: number;
        memory?: number;
        symmetry?: boolean;
        merging?: boolean;
        faults?: RaceFault | readonly RaceFault[];
        replay?: string;
    };
    never?: RaceClaim | readonly RaceClaim[];
    always?: RaceClaim | readonly RaceClaim[];
    sometimes?: RaceClaim | readonly RaceClaim[];
}
/** One distinct end, and the first schedule that leads to it. */
export interface RaceEnding {
    readonly kind: "ended" | "kvm bug" | "deadlock" | "livelock" | "invariant violation";
    readonly text: string;
    readonly count: string;
    readonly token: string;
    readonly preemptions: bigint;
    readonly schedule: string;
}
/**
 * What a search found; of a replayed schedule only `text`. `kvs explore` explores the races of a module, also in shards,
 * of which each finds a part.
 */
export interface RaceResult {
    readonly completeness: string;
    readonly method: "states" | "schedules" | "walks";
    readonly size: bigint;
    readonly steps: bigint;
    readonly endings: readonly RaceEnding[];
    readonly lockInversion: readonly string[];
    readonly text: string;
}
/**
 * Runs the tasks in every order of their steps. The function of a task is called once, to see which operations it asks
 * for; what they give is not known there. Throws an AssertionError with the shortest schedule if a claim does not hold.
 */
export function race(name: string, tasks: Record<string, () => unknown>, options?: RaceOptions): RaceResult;
/** Prints the picture or the value of something. */
export function show(value: unknown): void;
/** Records the answer of a question script, a cell of `kvs matrix`. */
export function answer(value: unknown): void;
/** The last event that touched the object. */
export function why(object: unknown): string;
/** The value in one line, as KVS writes it. */
export function text(value: unknown): string;
/** The names of a .kvs file; `import { name } from "./file.kvs"` is the way to write it. */
export function imported(path: string): Record<string, any>;

/** Throws an AssertionError unless the condition holds. */
export function assert(condition: unknown, message?: string): asserts condition;
export namespace assert {
    /** Both are the same; quantities compare by value, 1 and 1n are the same. */
    function equal(actual: unknown, expected: unknown): void;
    /** They are not. */
    function notEqual(actual: unknown, expected: unknown): void;
    /** The state, outcome or value matches a pattern of KVS: "leaf(4K, rwx)", "FREE", "ok left 0". */
    function is(value: unknown, pattern: string): void;
    /** It does not match. */
    function isNot(value: unknown, pattern: string): void;
    /** The picture of the object; indentation common to all lines does not count. */
    function shows(object: unknown, picture: string): void;
    /** The outcome is called `name` and has these details. */
    function outcome(outcome: unknown, name: string, details?: Record<string, unknown>): void;
    /** The function throws; a text must occur in the message. */
    function throws(body: () => void, text?: string): void;
}
