// 3. Map before the guest asks. A range is two quantities, a text, or an object with gpa and size.
import { vm, asm64, assert, range, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { gpa: 0, size: "64M" } });

const probe = asm64`
        mov  rax, [0x1000]
        mov  byte [0x2000], 0x5a
        hlt
`;

test("a mapped range costs no EPT violation", () => {
    plain.vcpu0.load(probe, { at: "1M" });
    assert.outcome(plain.vcpu0.map_memory(0, "4M"), "ok", { left: 0 });

    assert.outcome(plain.vcpu0.run(), "HLT");
    assert.equal(plain.vcpu0.exits.ept_violation, 0);
    assert.shows(plain.ept, "0x00000000..0x00400000  2M  rwx wb  slot0+0");
});

test("every way to write a range is the same range", () => {
    for (const asked of [range(0, "4M"), "0 .. 4M", [0, 0x400000], { gpa: 0n, size: "4M" }, { start: 0, end: "4M" }]) {
        assert.is(plain.vcpu0.map_memory(asked), "ok left 0");
    }
    assert.equal(plain.stats.pages_2m, 2);
});

test("64-bit quantities are BigInts, and none loses a bit", () => {
    plain.vcpu0.map_memory(0, "4K").ok;
    const raw = plain.ept[0].raw;
    assert.equal(typeof raw, "bigint");
    assert.equal(raw & 0x7n, 7); // read, write, execute
    plain.vcpu0.rax = 0xffffffff81000001n;
    assert(plain.vcpu0.rax === 0xffffffff81000001n);
});

test("some things are refused, by the kernel's own errno", () => {
    const refused = (asked, errno) => assert.outcome(plain.vcpu0.map_memory(asked), errno);
    refused([0x800, 0x1800], "EINVAL"); // not page aligned
    refused([0, 0], "EINVAL"); // empty
    refused({ gpa: "64M", size: "4K" }, "ENOENT"); // no slot there
});
