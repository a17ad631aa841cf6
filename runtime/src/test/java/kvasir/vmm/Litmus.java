package kvasir.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import kvasir.kvm.MpState;
import kvasir.kvm.Vcpu;
import kvasir.metal.cpu.Engine;
import kvasir.metal.cpu.isa.Assembled;
import kvasir.metal.cpu.isa.AssemblyText;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Guest;
import kvasir.registry.Outcome;
import kvasir.registry.Range;

/**
 * Runs a litmus test as a guest program: each vCPU executes its lines over and over, on fresh words x and y every time,
 * and the guest itself counts the outcomes.
 *
 * <p>In the lines {@code [x]} and {@code [y]} are the words of the iteration; {@code rax} and {@code rbx} are 0 before and
 * the outcome afterwards. An outcome is written as the digits of the registers named in the constructor, 0 or 1 each.
 */
final class Litmus {
    private static final long DATA = 0x100_0000;
    private static final long BARRIERS = DATA;
    private static final long COUNTS = DATA + 0x1000;
    private static final long X = DATA + 0x10_0000;
    private static final long Y = DATA + 0x20_0000;
    private static final long RESULTS = DATA + 0x30_0000;
    private static final long RESULTS_OF_ONE = 0x10_0000;

    /** Iterations of a round, after which outcomes are counted and x and y are 0 again. */
    private static final int ROUND = 1024;

    /** Iterations after which vCPUs wait for each other if each has a processor of the host. */
    private static final int STEP = 64;

    /** Instructions of an iteration, waiting included, at the very most. */
    private static final long MOST_INSTRUCTIONS = 100_000;

    private final List<String> threads;
    private final List<String> results;
    private final boolean inStep;

    /**
     * @param results which registers make the outcome: {@code 0rax} is RAX of vCPU 0
     * @param threads lines of each vCPU, with semicolons between
     */
    Litmus(List<String> results, List<String> threads) {
        this.threads = threads;
        this.results = results;
        inStep = threads.size() <= Runtime.getRuntime().availableProcessors();
    }

    /** How often each outcome was seen, in {@code iterations} of them or a little more. */
    Map<String, Long> run(long iterations, Engine engine) {
        var machine = new Machine(Machine.Config.standard().executedBy(engine));
        VmBuilder builder = machine.declare("pc", "default");
        builder.setVcpus(threads.size());
        builder.addMemory(new Range(0, 64 << 20));
        builder.setIrqchip(false, false);
        builder.setDevices();
        builder.setTogether(true);
        var handle = assertInstanceOf(VmHandle.class, machine.build(builder));
        List<Vcpu> vcpus = handle.vm().vcpus();
        long rounds = (iterations + ROUND - 1) / ROUND;
        for (Vcpu vcpu : vcpus) {
            load(vcpu, program(vcpu.id(), rounds), 0x10_0000L * (vcpu.id() + 1));
            vcpu.ioctls().setMpState(MpState.RUNNABLE.number());
        }
        Ended ended = handle.pc().orElseThrow().run(iterations * MOST_INSTRUCTIONS);
        assertInstanceOf(Ended.Asleep.class, ended);
        return counts(handle);
    }

    private Map<String, Long> counts(VmHandle handle) {
        var range = new Range(COUNTS, COUNTS + 8L * (1 << results.size()));
        var bytes = (Bytes) GuestMemory.read(handle.vm(), range);
        var counts = new TreeMap<String, Long>();
        for (int key = 0; key < 1 << results.size(); key++) {
            long count = 0;
            for (int i = 7; i >= 0; i--) {
                count = count << 8 | bytes.toArray()[8 * key + i] & 0xff;
            }
            if (count != 0) {
                var outcome = new StringBuilder();
                for (int i = 0; i < results.size(); i++) {
                    outcome.append(key >> i & 1);
                }
                counts.put(outcome.toString(), count);
            }
        }
        return counts;
    }

    /** Loads 64-bit code with page tables and a stack of its own. */
    static void load(Vcpu vcpu, String text, long at) {
        Assembled assembled = AssemblyText.assemble(CodeSize.BITS64, at, text);
        assertEquals(List.of(), assembled.errors(), text);
        Guest guest = new Guest() {
            @Override
            public String name() {
                return "litmus";
            }

            @Override
            public int bits() {
                return 64;
            }

            @Override
            public Bytes assembledAt(long address) {
                return assembled.code();
            }
        };
        assertInstanceOf(Outcome.Ok.class, GuestLoader.load(vcpu, guest, new Arguments(Map.of("at", at))));
    }

    private String program(int id, long rounds) {
        var lines = new ArrayList<String>();
        lines.add("mov r14, " + rounds);
        lines.add("xor r15d, r15d");
        lines.add("round:");
        barrier(lines, id, "start");
        lines.add("xor r8d, r8d");
        lines.add("mov r9d, " + ROUND);
        lines.add("iteration:");
        if (inStep) {
            lines.add("test r9d, " + (STEP - 1));
            lines.add("jnz body");
            barrier(lines, id, "step");
            lines.add("body:");
        }
        lines.add("xor eax, eax");
        lines.add("xor ebx, ebx");
        String body = threads.get(id).replace("; ", "\n");
        lines.add(body.replace("[x]", "[r8 + " + X + "]").replace("[y]", "[r8 + " + Y + "]"));
        lines.add("mov [r8 + " + (RESULTS + id * RESULTS_OF_ONE) + "], rax");
        lines.add("mov [r8 + " + (RESULTS + id * RESULTS_OF_ONE + 8) + "], rbx");
        lines.add("add r8, 64");
        lines.add("dec r9d");
        lines.add("jnz iteration");
        barrier(lines, id, "end");
        if (id == 0) {
            count(lines);
        }
        lines.add("dec r14");
        lines.add("jnz round");
        lines.add("cli");
        lines.add("hlt");
        return String.join("\n", lines);
    }

    /** Nobody goes on before all have come. R15 counts barriers; each vCPU tells in a line of its own how far it is. */
    private void barrier(List<String> lines, int id, String name) {
        lines.add("inc r15");
        lines.add("mov [" + (BARRIERS + 64 * id) + "], r15");
        for (int other = 0; other < threads.size(); other++) {
            if (other != id) {
                lines.add("jmp " + name + other);
                lines.add(name + "_wait" + other + ":");
                lines.add("pause");
                lines.add(name + other + ":");
                lines.add("cmp [" + (BARRIERS + 64 * other) + "], r15");
                lines.add("jb " + name + "_wait" + other);
            }
        }
    }

    private void count(List<String> lines) {
        lines.add("xor r8d, r8d");
        lines.add("mov r9d, " + ROUND);
        lines.add("look:");
        lines.add("xor edx, edx");
        for (int i = 0; i < results.size(); i++) {
            int id = results.get(i).charAt(0) - '0';
            int offset = results.get(i).endsWith("rbx") ? 8 : 0;
            lines.add("mov rax, [r8 + " + (RESULTS + id * RESULTS_OF_ONE + offset) + "]");
            lines.add("shl rax, " + i);
            lines.add("or rdx, rax");
        }
        lines.add("inc qword [rdx * 8 + " + COUNTS + "]");
        lines.add("mov qword [r8 + " + X + "], 0");
        lines.add("mov qword [r8 + " + Y + "], 0");
        lines.add("add r8, 64");
        lines.add("dec r9d");
        lines.add("jnz look");
    }
}
