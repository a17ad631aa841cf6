// 8. Memory the VMM cannot see.
import { vm, asm64, assert, test } from "kvs";

const sp = vm({
    type: "sw_protected",
    vcpus: 1,
    memory: [{ gpa: 0, size: "2M" }, { gpa: "2M", size: "2M", private: true }],
});

const toucher = asm64`
        mov  byte [0x200000], 0x5a
        hlt
`;

test("a private page comes from guest_memfd, 4K at a time", () => {
    sp.vcpu0.load(toucher, { at: "1M" });
    assert.outcome(sp.vcpu0.run(), "HLT");
    assert.is(sp.attributes[0x200000], "PRIVATE");
    assert.equal(sp.gmem0.allocated, 4096);
    assert.is(sp.ept[0x200000], "leaf(4K, rwx)");
    assert.is(sp.host[sp.hva("2M")], "empty");
});

test("private memory without guest_memfd", () => {
    sp.set_attributes("1M .. 1088K", "private");
    sp.vcpu0.load(toucher, { at: 0x80000 });
    sp.vcpu0.rip = "1M";
    assert.outcome(sp.vcpu0.run(), "MEMORY_FAULT", { gpa: 0x100000, private: true });
});
