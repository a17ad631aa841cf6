// dirty_log_test: 1 GiB + 3 pages at the top of guest memory are logged; the guest writes the number of the iteration to random
// pages; 32 iterations in each mode: get, get and clear by hand, ring. A page that is reported holds the number of this
// iteration, a page that is not holds an earlier one. The collector comes between two runs of the guest, not beside them.
import { vm, asm64, assert, semantics, test } from "kvs";

semantics("v6.19");

const PAGE = 4096n;
const TOP = 0x400000000000n;
const PAGES = 262144n + 3n;
const BASE = TOP - PAGES * PAGE;
const ITERATIONS = 32;
const WRITES = 300n;
const SLOT = 1n;

// rdi the first page, rsi pages, r8 seed, r9 the iteration, rcx writes
const writer = asm64`
next:   imul r8, r8, 0x5851f42d
        add  r8, 0x14057b7e
        mov  rax, r8
        shr  rax, 11
        xor  edx, edx
        div  rsi
        shl  rdx, 12
        mov  [rdi + rdx], r9
        dec  rcx
        jnz  next
        out  0x80, al
        hlt
`;

const machine = (more) =>
    vm({
        type: "default",
        ...more,
        memory: [
            { range: "0 .. 2M" },
            { gpa: BASE, size: PAGES * PAGE, backing: "anon", log_dirty: true },
        ],
    });

const modes = {
    get: machine({}),
    clear: machine({ manual_dirty_log: { initially_set: true } }),
    ring: machine({ dirty_ring: "1M" }),
};

/** Runs the guest for one iteration: at least 256 writes. */
function write(machine, iteration) {
    machine.vcpu0.load(writer, { at: "1M", also: { start: BASE, end: TOP } });
    machine.vcpu0.rdi = BASE;
    machine.vcpu0.rsi = PAGES;
    machine.vcpu0.r8 = BigInt(iteration) * 0x9e3779b9n;
    machine.vcpu0.r9 = BigInt(iteration);
    machine.vcpu0.rcx = WRITES;
    assert.outcome(machine.vcpu0.run(), "IO", { port: 0x80n });
}

/** The pages that {@link writer} writes in an iteration. */
function chosen(iteration) {
    const pages = new Set();
    let seed = BigInt(iteration) * 0x9e3779b9n;
    for (let i = 0n; i < WRITES; i++) {
        seed = BigInt.asUintN(64, seed * 0x5851f42dn + 0x14057b7en);
        pages.add((seed >> 11n) % PAGES);
    }
    return pages;
}

const valueAt = (machine, page) => {
    const bytes = machine.read({ start: BASE + page * PAGE, end: BASE + page * PAGE + 8n }).toUint8Array();
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
};

function* bits(bitmap) {
    const bytes = bitmap.toUint8Array();
    for (let i = 0; i < bytes.length; i++) {
        for (let bit = 0; bytes[i] >> bit; bit++) {
            if ((bytes[i] >> bit) & 1) yield BigInt(8 * i + bit);
        }
    }
}

const collect = {
    get: (machine) => new Set(bits(machine.get_dirty_log(SLOT).bitmap)),
    clear: (machine) => {
        const bitmap = machine.get_dirty_log(SLOT).bitmap;
        machine.clear_dirty_log(SLOT, { first_page: 0n, num_pages: PAGES, bitmap });
        return new Set(bits(bitmap));
    },
    ring: (machine) => {
        const entries = machine.vcpu0.harvest_ring();
        for (const entry of entries) {
            assert.equal(entry.slot, SLOT);
            assert(entry.offset < PAGES, "the offset lies in the slot");
        }
        assert.outcome(machine.reset_dirty_rings(), "ok", { value: BigInt(entries.length) });
        return new Set(entries.map((entry) => entry.offset));
    },
};

for (const [mode, machine] of Object.entries(modes)) {
    test(mode, () => {
        let before = new Set();
        for (let iteration = 1; iteration <= ITERATIONS; iteration++) {
            write(machine, iteration);
            const written = chosen(iteration);
            assert(written.size >= 256, "the guest writes at least 256 pages");
            const dirty = collect[mode](machine);
            for (const page of written) {
                assert(dirty.has(page), "no write is lost");
                assert.equal(valueAt(machine, page), BigInt(iteration));
            }
            // with INITIALLY_SET the first bitmap tells of pages that nobody has written
            if (mode !== "clear" || iteration > 1) assert.equal(dirty.size, written.size);
            for (const page of before) {
                if (!dirty.has(page)) assert(valueAt(machine, page) < BigInt(iteration), "a clean page is older");
            }
            before = written;
        }
    });
}
