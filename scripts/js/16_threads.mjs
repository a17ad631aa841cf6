// 16. vCPUs on threads from JavaScript: LOCK loses nothing.
import { vm, asm64, assert, test } from "kvs";

const pc = vm({ type: "default", vcpus: 2, memory: { range: "0 .. 8M" }, irqchip: {}, devices: {}, smp: "threads" });

const count = asm64`
        mov  rdi, 0x200000
        mov  ecx, 5000
    more:
        lock inc qword [rdi]
        dec  ecx
        jnz  more
        lock inc qword [rdi + 128]
    wait:
        pause
        cmp  qword [rdi + 128], 2
        jne  wait
        mov  rax, [rdi]
        cli
        hlt
`;

test("both count", () => {
    assert.equal(pc.smp, "threads");
    pc.vcpu0.load(count, { at: "1M" });
    pc.vcpu1.load(count, { at: "3M" });
    pc.vcpu1.set_mp_state("RUNNABLE");
    assert.outcome(pc.run(), "ASLEEP");
    assert.equal(pc.vcpu0.rax, 10000n);
    assert.equal(pc.vcpu1.rax, 10000n);
});
