// 14. System-management mode from JavaScript: a handler counts what it interrupts.
import { vm, asm16, asm64, assert, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 4M" } });

const program = asm64`
again:  hlt
        jmp  again
`;

const handler = asm16`
        inc  word [0x7000]
        rsm
`;

test("three SMIs", () => {
    plain.set_slot(0x10000, { gpa: 0n, size: "4M", hva: plain.hva(0n) });
    plain.vcpu0.load(program, { at: "1M" });
    plain.vcpu0.load(handler, { at: 0x38000n, bare: true });
    for (let i = 0; i < 3; i++) {
        plain.vcpu0.smi();
        assert.outcome(plain.vcpu0.run(), "HLT");
        assert.equal(plain.vcpu0.smm, false);
    }
    assert.equal(plain.read([0x7000, 0x7002]), "0300");
    assert.equal(plain.vcpu0.read_msr(0x34), 3n);
});
