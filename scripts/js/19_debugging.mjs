// 19. Debugging the guest from JavaScript: the verbs of scripts/tour/11_debugging.kvs.
import { vm, asm64, assert, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 16M" } });

const counter = asm64`
        mov   ecx, 3
again:  mov   [0x200000], ecx
        dec   ecx
        jnz   again
        hlt
`;

test("step, run until, break, watch", () => {
    const vcpu = plain.vcpu0;
    vcpu.load(counter, { at: "1M" });
    assert.outcome(vcpu.step(), "ok", { rip: 0x100005n });
    assert.equal(vcpu.disassembly, "mov dword [0x200000], ecx");
    assert.outcome(vcpu.step({ count: 3 }), "ok", { rip: 0x100005n });
    assert.equal(vcpu.rcx, 2n);
    assert.outcome(vcpu.run_until(0x10000en), "ok", { rip: 0x10000en });
    vcpu.break_at(0x100005n);
    assert.outcome(vcpu.run(), "BREAK", { pc: 0x100005n });
    vcpu.clear_breaks();
    vcpu.watch("2M", { size: 4 });
    assert.outcome(vcpu.run(), "WATCH", { address: 0x200000n });
    assert.outcome(vcpu.watch("2M", { size: 0 }), "EINVAL");
    vcpu.clear_breaks();
    assert.outcome(vcpu.run(), "HLT");
});

test("disassembly, the TLB, system registers", () => {
    const vcpu = plain.vcpu0;
    vcpu.load(counter, { at: "1M" });
    vcpu.step({ count: 2 });
    assert.equal(
        vcpu.disassemble({ at: 0x100000n, count: 3 }).map((line) => line.text).join("; "),
        "mov ecx, 0x3; mov dword [0x200000], ecx; dec ecx",
    );
    const written = vcpu.tlb.find((entry) => entry.linear === 0x200000n);
    assert.equal(written.rights, "-w-");
    assert.equal(vcpu.cs.access, 0xa09bn);
    vcpu.set_segment("fs", { base: 0x5000n });
    assert.equal(vcpu.fs.base, 0x5000n);
    vcpu.rax = 5n;
    assert.equal(vcpu.rax, 5n);
    assert.outcome(vcpu.read_msr(0x12345n), "EINVAL");
});
