package kvasir.metal.cpu;

import java.util.Optional;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Disassembler;

/** The loop: take a block, run its instructions, turn what unwinds into exceptions and exits. */
final class Interpreter {
    /** Blocks between two looks at what other threads may ask for; also lets the JVM leave on-stack replaced code. */
    private static final int BLOCKS_BETWEEN_CHECKS = 4096;

    private final Cpu c;

    /** The block whose instructions run, when {@link #chain} unwinds. */
    private Block running;

    /** What completes the IN, INS, OUT or OUTS that caused the last exit. */
    private Optional<PortOp> portOp = Optional.empty();

    /** Exceptions delivered since {@link #run} began; each takes one from the budget, so that a fault loop ends. */
    private long delivered;

    /** An exit that waits until its instruction has retired. */
    private Optional<VmExit> after = Optional.empty();

    Interpreter(Cpu c) {
        this.c = c;
        running = new Block(new Op[0], new int[1], 0, 0, 0, -1, new byte[0]);
    }

    VmExit run(long budget, Optional<MmioBus> bus) {
        c.mem.setBus(bus);
        c.mem.followEpoch();
        c.hostStamp++;
        c.stamp++;
        c.exitLength = 0;
        delivered = 0;
        long limit = c.retired + Math.min(budget, Long.MAX_VALUE - c.retired);
        boolean emulating = bus.isPresent();
        while (true) {
            if (eventsWait()) {
                Optional<VmExit> exit = event();
                if (exit.isPresent()) {
                    return exit.get();
                }
                if (emulating) {
                    return new VmExit.Emulated();
                }
            }
            if (c.retired >= limit - delivered) {
                return emulating ? new VmExit.Emulated() : new VmExit.Budget();
            }
            Optional<VmExit> exit = blocks(limit - delivered, emulating);
            if (exit.isPresent()) {
                return exit.get();
            }
            if (emulating) {
                return new VmExit.Emulated();
            }
        }
    }

    private boolean eventsWait() {
        return c.kicked || c.pending.isPresent() || c.windowRequested;
    }

    private Optional<VmExit> event() {
        if (c.pending.isPresent() && !c.shadow) {
            Injection event = c.pending.get();
            c.pending = Optional.empty();
            return c.delivery.inject(event);
        }
        if (c.kicked) {
            c.kicked = false;
            return Optional.of(new VmExit.Interrupted());
        }
        if (c.windowRequested && c.interruptible()) {
            return Optional.of(new VmExit.InterruptWindow());
        }
        return Optional.empty();
    }

    /** Runs until something is to be looked at; an exit, or nothing. */
    private Optional<VmExit> blocks(long limit, boolean emulating) {
        c.attention = false;
        boolean trap = (c.sys.flags & Bits.TF) != 0;
        if (!c.shadow && !emulating && !trap) {
            return chain(limit);
        }
        boolean shadowed = c.shadow;
        long before = c.retired;
        c.shadow = false;
        Optional<VmExit> exit = chain(c.retired + 1);
        boolean retired = c.retired != before;
        if (exit.isPresent()) {
            c.shadow |= shadowed && !retired;
            return exit;
        }
        if (trap && retired) {
            c.sys.dr[6] |= 1 << 14;
            return c.delivery.exception(Vector.DB, 0, false);
        }
        return Optional.empty();
    }

    /** Block after block, until {@code limit} instructions have retired or {@link Cpu#attention} is set. */
    private Optional<VmExit> chain(long limit) {
        int i = -1;
        long start = c.ip;
        int left = BLOCKS_BETWEEN_CHECKS;
        try {
            do {
                i = -1;
                start = c.ip;
                Block block = c.blocks.at(c.codeLinear(start));
                Op[] ops = block.ops;
                int count = ops.length;
                if (count > limit - c.retired || c.codeSize != CodeSize.BITS64) {
                    count = withinLimit(block, (int) Math.min(count, limit - c.retired), start);
                }
                running = block;
                c.r[Address.BLOCK] = start;
                c.ip = (start + block.starts[count]) & c.ipMask;
                for (i = 0; i < count; i++) {
                    ops[i].run(c);
                }
                c.retired += count;
            } while (!c.attention && c.retired < limit && --left != 0);
        } catch (Unwind u) {
            if (i < 0) {
                return unwound(u, false, start, 0);
            }
            c.retired += i;
            Block block = running;
            boolean stack = block.ops[i].stack;
            int length = block.starts[i + 1] - block.starts[i];
            return unwound(u, stack, (start + block.starts[i]) & c.ipMask, length);
        }
        Optional<VmExit> exit = after;
        after = Optional.empty();
        return exit;
    }

    /** Instructions of the block that end inside the code segment; #GP if not even the first does. */
    private int withinLimit(Block block, int count, long start) {
        if (c.codeSize == CodeSize.BITS64) {
            return count;
        }
        long limit = c.sys.limit[Segment.CS] & 0xffff_ffffL;
        int within = count;
        while (within > 0 && start + block.starts[within] - 1 > limit) {
            within--;
        }
        if (within == 0) {
            throw c.exception(Vector.GP, 0);
        }
        return within;
    }

    private Optional<VmExit> unwound(Unwind u, boolean stack, long at, int length) {
        c.ip = at;
        delivered++;
        return switch (u.kind) {
            case STALE -> Optional.empty();
            case EXCEPTION -> c.delivery.exception(u.vector, u.errorCode, true);
            case NON_CANONICAL -> c.delivery.exception(stack ? Vector.SS : Vector.GP, 0, true);
            case EXIT -> {
                c.exitLength = length;
                yield Optional.of(u.exit);
            }
        };
    }

    /** Makes the running instruction, which ends a block, exit once it has retired. */
    void exitAfter(VmExit exit) {
        c.attention = true;
        after = Optional.of(exit);
    }

    /** Remembers what will complete the port access that exits now. */
    void awaitPort(PortOp op) {
        portOp = Optional.of(op);
    }

    void completeIn(int value) {
        complete(value);
    }

    void completeOut() {
        complete(0);
    }

    private void complete(int value) {
        if (portOp.isEmpty()) {
            return;
        }
        PortOp op = portOp.get();
        portOp = Optional.empty();
        int length = c.exitLength;
        try {
            if (op.complete(c, value)) {
                c.skip();
            }
            c.exitLength = 0;
        } catch (Unwind u) {
            c.exitLength = length;
        }
    }

    String disassembly() {
        long cr2 = c.sys.cr2;
        try {
            return c.blocks
                    .decodeAt(c.codeLinear(c.ip))
                    .map(i -> Disassembler.text(i, c.ip))
                    .orElse("(no instruction)");
        } catch (Unwind u) {
            return "(not mapped)";
        } finally {
            c.sys.cr2 = cr2;
        }
    }
}
