package kvasir.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvasir.event.Events;
import kvasir.kvm.MpState;
import kvasir.kvm.Vm;
import kvasir.metal.cpu.Engine;
import kvasir.metal.cpu.Gpr;
import kvasir.registry.Bytes;
import kvasir.registry.Range;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** vCPUs at the same time: nothing is lost, nothing torn, nothing stale. */
class HostThreadsTest {
    private static final int TIMES = 3_000;

    /** For what stops all other vCPUs each time. */
    private static final int FEW = 300;

    private static final long COUNTER = 0x200_0000;

    /** Instructions of a guest that ends by itself; who gets through them all hangs. */
    private static final long PLENTY = 10_000_000_000L;

    private final Machine machine = new Machine(Machine.Config.standard());

    private VmHandle declare(int vcpus) {
        VmBuilder builder = machine.declare("pc", "default");
        builder.setVcpus(vcpus);
        builder.addMemory(new Range(0, 64 << 20));
        builder.setIrqchip(false, false);
        builder.setDevices();
        builder.setTogether(true);
        VmHandle handle = assertInstanceOf(VmHandle.class, machine.build(builder));
        handle.vm().vcpus().forEach(vcpu -> vcpu.ioctls().setMpState(MpState.RUNNABLE.number()));
        return handle;
    }

    private static void load(VmHandle pc, int vcpu, String text) {
        Litmus.load(pc.vm().vcpus().get(vcpu), text, 0x10_0000L * (vcpu + 1));
    }

    private static Ended run(VmHandle pc, long budget) {
        return pc.pc().orElseThrow().run(budget);
    }

    private static long word(Vm vm, long gpa) {
        byte[] bytes = ((Bytes) GuestMemory.read(vm, new Range(gpa, gpa + 8))).toArray();
        long value = 0;
        for (int i = 7; i >= 0; i--) {
            value = value << 8 | bytes[i] & 0xff;
        }
        return value;
    }

    /** Each vCPU executes {@code body} so many times, with its number in RSI. */
    private VmHandle repeat(int vcpus, String body) {
        return repeat(vcpus, TIMES, body);
    }

    private VmHandle repeat(int vcpus, int times, String body) {
        VmHandle pc = declare(vcpus);
        for (int i = 0; i < vcpus; i++) {
            load(pc, i, """
                    mov  rdi, %d
                    mov  esi, %d
                    mov  r12d, %d
                    again:
                    %s
                    dec  r12d
                    jnz  again
                    cli
                    hlt
                    """.formatted(COUNTER, i, times, body));
        }
        assertInstanceOf(Ended.Asleep.class, run(pc, PLENTY));
        return pc;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "lock inc qword [rdi]",
                "lock add qword [rdi], 1",
                "lock sub qword [rdi], -1",
                "mov eax, 1\nlock xadd [rdi], rax",
                "lock inc dword [rdi]",
                "lock inc word [rdi + 6]\nlock inc dword [rdi]",
            })
    void lockedArithmeticLosesNothing(String body) {
        assertEquals(3 * TIMES, (int) word(repeat(3, body).vm(), COUNTER));
    }

    /** An even number of complements, of a sign or of all bits, in any order. */
    @Test
    void lockedComplementsLoseNothing() {
        VmHandle pc = repeat(2, "lock not qword [rdi]\nlock xor qword [rdi + 64], 1\nlock btc dword [rdi + 128], 7");
        assertEquals(0, word(pc.vm(), COUNTER) | word(pc.vm(), COUNTER + 64) | word(pc.vm(), COUNTER + 128));
    }

    /** A neighbour that is written without LOCK is not disturbed by a locked access beside it, nor disturbs it. */
    @Test
    void plainStoresBesideALockedOperandStay() {
        VmHandle pc = repeat(
                3,
                "lock inc word [rdi]\nmov eax, r12d\nmov [rdi + 4 + rsi], al\ncmp [rdi + 4 + rsi], al\nje fine\nud2\nfine:");
        assertEquals(3 * TIMES & 0xffff, word(pc.vm(), COUNTER) & 0xffff);
        assertEquals(0x010101, word(pc.vm(), COUNTER) >>> 32 & 0xffffff);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 62, 4092})
    void aSplitLockIsALock(int offset) {
        VmHandle pc = repeat(2, FEW, "lock inc qword [rdi + %d]".formatted(offset + 1));
        assertEquals(2 * FEW, word(pc.vm(), COUNTER + offset + 1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "take:\nmov eax, 1\nxchg eax, [rdi + 64]\ntest eax, eax\njz have\npause\njmp take\nhave:\n"
                        + "inc qword [rdi]\nmov dword [rdi + 64], 0",
                "take:\nlock bts dword [rdi + 64], 3\njnc have\npause\njmp take\nhave:\n"
                        + "inc qword [rdi]\nlock btr dword [rdi + 64], 3",
                "take:\nxor eax, eax\nmov ecx, 1\nlock cmpxchg [rdi + 64], ecx\nje have\npause\njmp take\nhave:\n"
                        + "inc qword [rdi]\nmov dword [rdi + 64], 0",
                "mov eax, 1\nlock xadd [rdi + 64], eax\nwait:\ncmp [rdi + 128], eax\nje have\npause\njmp wait\nhave:\n"
                        + "inc qword [rdi]\ninc dword [rdi + 128]",
            })
    void spinLocksExclude(String body) {
        assertEquals(2 * TIMES, word(repeat(2, body).vm(), COUNTER));
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16})
    void compareAndExchangeOfPairs(int bytes) {
        String half = bytes == 16 ? "r" : "e";
        String body = """
                mov  Xax, [rdi]
                mov  Xdx, [rdi + %d]
                retry:
                mov  Xbx, Xax
                mov  Xcx, Xdx
                inc  Xbx
                dec  Xcx
                lock cmpxchg%db [rdi]
                jne  retry
                """.replace("X", half).formatted(bytes / 2, bytes);
        VmHandle pc = repeat(2, FEW, body);
        if (bytes == 16) {
            assertEquals(2 * FEW, word(pc.vm(), COUNTER));
            assertEquals(-2 * FEW, word(pc.vm(), COUNTER + 8));
        } else {
            assertEquals((-2L * FEW) << 32 | 2 * FEW, word(pc.vm(), COUNTER));
        }
    }

    /** One writes two words of all zeros or all ones, the other never sees a mixture: aligned accesses do not tear. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void alignedAccessesDoNotTear(Engine engine) {
        VmHandle pc = declare(2);
        pc.vm().vcpus().forEach(vcpu -> vcpu.cpu().setEngine(engine));
        load(pc, 0, """
                mov rdi, 0x2000000
                mov ecx, 100000
                more: not rax
                mov [rdi], rax
                dec ecx
                jnz more
                mov qword [rdi + 64], 1
                cli
                hlt
                """);
        load(pc, 1, """
                mov rdi, 0x2000000
                more: mov rax, [rdi]
                lea rbx, [rax + 1]
                cmp rbx, 1
                ja  torn
                cmp qword [rdi + 64], 0
                je  more
                mov ecx, 7
                torn: cli
                hlt
                """);
        assertInstanceOf(Ended.Asleep.class, run(pc, PLENTY));
        assertEquals(7, pc.vm().vcpus().get(1).cpu().gpr(Gpr.RCX));
    }

    /**
     * While one vCPU touches a page over and over, the other clears accessed and dirty flags of its entry with locked
     * instructions and counts in bits that software owns: neither undoes the other's work.
     */
    @Test
    void pageTableFlagsAndSoftwareBitsBothStay() {
        VmHandle pc = declare(2);
        // tables of its own for the page at 1 GiB
        load(pc, 0, """
                mov  rax, cr3
                mov  rax, [rax]
                and  rax, -4096
                mov  qword [rax + 8], 0x3010003
                mov  qword [0x3010000], 0x3020003
                mov  qword [0x3020000], 0x3000003
                mov  rax, cr3
                mov  cr3, rax
                mov  dword [0x2000000], 1
                more:
                inc  ecx
                mov  dword [0x40000000], ecx
                invlpg [0x40000000]
                cmp  dword [0x2000000], 2
                jne  more
                cli
                hlt
                """);
        load(pc, 1, """
                start: pause
                cmp  dword [0x2000000], 1
                jb   start
                mov  rdi, 0x3020000
                mov  ecx, 2000
                more:
                lock and qword [rdi], -97
                mov  rax, 0x10000000000000
                lock xadd [rdi], rax
                dec  ecx
                jnz  more
                mov  dword [0x2000000], 2
                cli
                hlt
                """);
        assertInstanceOf(Ended.Asleep.class, run(pc, PLENTY));
        assertEquals(2000L << 52 | 0x300_0003, word(pc.vm(), 0x302_0000) & ~0x60L);
    }

    /** The SDM's protocol for cross-modifying code: store, tell, and a serializing instruction before it is executed. */
    @Test
    void modifiedCodeOfAnotherIsSeenAfterSerializing() {
        VmHandle pc = declare(2);
        load(pc, 0, """
                mov  ebx, 1
                more:
                mov  [0x2000001], ebx
                mov  [0x2001000], ebx
                wait: pause
                cmp  [0x2001040], ebx
                jne  wait
                inc  ebx
                cmp  ebx, 500
                jne  more
                cli
                hlt
                """);
        load(pc, 1, """
                mov  byte [0x2000000], 0xb8
                mov  byte [0x2000005], 0xc3
                mov  esi, 1
                more:
                wait: pause
                cmp  [0x2001000], esi
                jne  wait
                xor  eax, eax
                cpuid
                mov  edi, 0x2000000
                call rdi
                cmp  eax, esi
                jne  stale
                mov  [0x2001040], esi
                inc  esi
                cmp  esi, 500
                jne  more
                mov  ebp, 7
                stale: cli
                hlt
                """);
        assertInstanceOf(Ended.Asleep.class, run(pc, PLENTY));
        assertEquals(7, pc.vm().vcpus().get(1).cpu().gpr(Gpr.RBP));
    }

    /** A loop whose branch another vCPU overwrites is left, without any protocol: sooner or later. */
    @Test
    void anEndlessLoopIsPatchedFromOutside() {
        VmHandle pc = declare(2);
        load(pc, 0, """
                written: pause
                cmp  dword [0x2001000], 1
                jne  written
                mov  ecx, 100000
                more: dec ecx
                jnz  more
                mov  word [0x2000003], 0x9090
                cli
                hlt
                """);
        load(pc, 1, """
                mov  dword [0x2000000], 0xebc0ff48
                mov  dword [0x2000004], 0xf4fafb
                mov  dword [0x2001000], 1
                mov  eax, 0x2000000
                jmp  rax
                """);
        assertInstanceOf(Ended.Asleep.class, run(pc, PLENTY));
    }

    @Test
    void theBudgetEndsEndlessLoops() {
        VmHandle pc = declare(3);
        for (int i = 0; i < 3; i++) {
            load(pc, i, "here: jmp here");
        }
        assertInstanceOf(Ended.BudgetSpent.class, run(pc, 3_000_000));
        long retired = pc.pc().orElseThrow().retired();
        assertTrue(retired <= 3_000_000 && retired > 2_900_000, "retired " + retired);
    }

    @Test
    @SuppressWarnings("ThreadPriorityCheck") // a hint only: the loop waits for the count
    void anInterruptFromOutsideEndsTheRun() throws InterruptedException {
        VmHandle pc = declare(2);
        load(pc, 0, "here: jmp here");
        load(pc, 1, "cli\nhlt");
        var stopper = new Thread(() -> {
            while (pc.pc().orElseThrow().retired() < 1_000_000) {
                Thread.onSpinWait();
            }
            machine.interrupt();
        });
        stopper.start();
        assertInstanceOf(Ended.Interrupted.class, run(pc, PLENTY));
        stopper.join();
    }

    @Test
    void whatOneThreadThrowsEndsTheRun() {
        VmHandle pc = declare(2);
        load(pc, 0, "here: jmp here");
        load(pc, 1, "mov eax, 7\nout 0xf1, al\nmov [0x4000000], eax\nhlt");
        Events.Listener listener = (_, _) -> {
            if (Thread.currentThread().getName().equals("pc.vcpu1")) {
                throw new IllegalStateException("a listener of the test");
            }
        };
        machine.events().add(listener);
        assertThrows(IllegalStateException.class, () -> run(pc, PLENTY));
    }

    @Test
    void aTripleFaultOfOneEndsAll() {
        VmHandle pc = declare(2);
        load(pc, 0, "here: jmp here");
        load(pc, 1, "lidt [0]\nud2");
        Ended.Stopped stopped = assertInstanceOf(Ended.Stopped.class, run(pc, PLENTY));
        assertEquals(1, stopped.vcpu());
    }
}
