// 2. Memory is mapped when the guest touches it. assert.is takes the patterns of KVS.
import { vm, asm64, assert, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 16M", backing: "anon", populate: true } });

const twoPages = asm64`
        mov  byte [0x200000], 1
        mov  byte [0x201000], 2
        mov  byte [0x200008], 3                          // the first page again: no fault
        hlt
`;

test("an untouched guest has no tables", () => {
    assert.equal(plain.ept.mapped, 0);
    assert.is(plain.ept[0x200000], "empty");
});

test("one EPT violation for each page", () => {
    plain.vcpu0.load(twoPages, { at: "1M" });
    assert.outcome(plain.vcpu0.run(), "HLT");

    // Two data pages, the code's page, and the two pages of the guest's own page tables behind the code.
    assert.equal(plain.vcpu0.exits.ept_violation, 5);
    assert.is(plain.ept[0x200000], "leaf(4K, rwx)");
    assert.is(plain.ept[0x202000], "empty");
    assert.shows(
        plain.ept,
        `
        0x00100000..0x00103000  4K  rwx wb  slot0+0x100000
        0x00200000..0x00202000  4K  rwx wb  slot0+0x200000
        `,
    );
});
