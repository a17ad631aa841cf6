package kvasir.metal.cpu;

import java.util.Optional;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Disassembler;

/** The loop: take a block, run its instructions, turn what unwinds into exceptions and exits. */
final class Interpreter {
    /** Blocks between two looks at what other threads may ask for; also lets the JVM leave on-stack replaced code. */
    private static final int BLOCKS_BETWEEN_CHECKS = 4096;

    /** Instructions between such looks, and between looks at code, while other processors run too. */
    private static final int INSTRUCTIONS_BETWEEN_CHECKS = 1 << 15;

    private final Cpu c;

    /** The block whose instructions run, when {@link #chain} unwinds. */
    private Block running;

    /** What completes the IN, INS, OUT or OUTS that caused the last exit. */
    private Optional<PortOp> portOp = Optional.empty();

    /** Exceptions delivered since {@link #run} began; each takes one from the budget, so that a fault loop ends. */
    private long delivered;

    /** The next instruction runs alone, because it touches a watched address. */
    private boolean alone;

    /** Port and size of the access that {@link #portOp} completes. */
    private int port;

    private int portBytes;

    /** What {@link kvasir.metal.memory.PhysicalMemory#changes} told when {@link #run} ended: later ones are not ours. */
    private long seen = -1;

    /** An exit that waits until its instruction has retired. */
    private Optional<VmExit> after = Optional.empty();

    Interpreter(Cpu c) {
        this.c = c;
        running = new Block(new Op[0], new int[1], 0, 0, 0, -1, new byte[0]);
    }

    VmExit run(long budget) {
        return run(budget, Optional.empty());
    }

    VmExit run(long budget, Optional<MmioBus> bus) {
        c.mem.setBus(bus);
        c.mem.followEpoch();
        if (c.memory.usedBy(c) || c.memory.changes() != seen || c.shared) {
            c.refetch();
        }
        VmExit exit = untilExit(budget, bus.isPresent());
        seen = c.memory.changes();
        return exit;
    }

    private VmExit untilExit(long budget, boolean emulating) {
        c.exitLength = 0;
        delivered = 0;
        long limit = c.retired + Math.min(budget, Long.MAX_VALUE - c.retired);
        while (true) {
            if (eventsWait()) {
                long at = c.ip;
                Optional<VmExit> exit = event();
                if (exit.isPresent()) {
                    return exit.get();
                }
                if (emulating && c.ip != at) {
                    return new VmExit.Emulated();
                }
                if (c.kicked) {
                    // behind the event that was delivered, before the first instruction of its handler
                    continue;
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
            if (c.shared) {
                c.refetch();
            }
        }
    }

    private boolean eventsWait() {
        return c.kicked
                || c.pending.isPresent()
                || c.windowRequested
                || c.nmiWindowRequested
                || c.breakpoints.traps != 0
                || c.breakpoints.stop.isPresent();
    }

    private Optional<VmExit> event() {
        Breakpoints b = c.breakpoints;
        if (b.stop.isPresent()) {
            Optional<VmExit> stop = b.stop;
            b.stop = Optional.empty();
            return stop;
        }
        if (b.traps != 0 && !c.stackShadow) {
            int conditions = b.traps;
            b.traps = 0;
            delivered++;
            return debug(conditions);
        }
        if (c.pending.isPresent() && !c.shadow) {
            Injection event = c.pending.get();
            c.pending = Optional.empty();
            return c.delivery.inject(event);
        }
        if (c.kicked) {
            c.kicked = false;
            return Optional.of(new VmExit.Interrupted());
        }
        if ((c.windowRequested && c.interruptible()) || (c.nmiWindowRequested && c.nmiAcceptable())) {
            return Optional.of(new VmExit.InterruptWindow());
        }
        return Optional.empty();
    }

    /** A debug exception: a fault of the next instruction, or a trap of the previous one. */
    private Optional<VmExit> debug(int conditions) {
        if (c.debugExits) {
            return Optional.of(new VmExit.Debug(Vector.DB, conditions));
        }
        c.breakpoints.record(conditions);
        return c.delivery.exception(Vector.DB, 0, false);
    }

    /** Makes the next instruction run alone, after the running one has unwound. */
    void runAlone() {
        alone = true;
    }

    /** Runs until something is to be looked at; an exit, or nothing. */
    private Optional<VmExit> blocks(long limit, boolean emulating) {
        c.attention = false;
        boolean plain = (c.sys.flags & Bits.TF) == 0 && !c.breakpoints.steps && !c.breakpoints.resume;
        boolean resumes = (c.sys.flags & Bits.RF) != 0;
        if (!plain || resumes && c.breakpoints.code || c.shadow || emulating || alone) {
            return oneAlone();
        }
        if (resumes) {
            return resumed(limit);
        }
        return chain(limit, c.shared ? Math.min(limit, c.retired + INSTRUCTIONS_BETWEEN_CHECKS) : limit);
    }

    /** The return from a fault sets RF, which has nothing to hold back where there is no breakpoint. */
    private Optional<VmExit> resumed(long limit) {
        long before = c.retired;
        c.sys.flags &= ~Bits.RF;
        Optional<VmExit> exit =
                chain(limit, c.shared ? Math.min(limit, c.retired + INSTRUCTIONS_BETWEEN_CHECKS) : limit);
        if (exit.isPresent() && c.retired == before) {
            c.sys.flags |= Bits.RF;
        }
        return exit;
    }

    /** One instruction with everything that debugging and shadows ask. */
    private Optional<VmExit> oneAlone() {
        Breakpoints b = c.breakpoints;
        int flags = c.sys.flags;
        boolean shadowed = c.shadow;
        boolean stackShadowed = c.stackShadow;
        boolean resume = b.resume;
        b.resume = false;
        int conditions = b.atInstruction(c.codeLinear(c.ip));
        if (Breakpoints.isOutside(conditions) && !resume) {
            return stopped();
        }
        if ((conditions & 15) != 0 && !stackShadowed && (flags & Bits.RF) == 0) {
            delivered++;
            return debug(conditions);
        }
        long before = c.retired;
        long start = c.ip;
        c.shadow = false;
        c.stackShadow = false;
        c.sys.flags &= ~Bits.RF;
        alone = false;
        b.alone = true;
        b.trapLost = false;
        Optional<VmExit> exit = chain(c.retired + 1, c.retired + 1);
        b.alone = false;
        if (c.retired == before) {
            b.dropHits();
            if (exit.isPresent()) {
                c.shadow |= shadowed;
                c.stackShadow |= stackShadowed;
                b.resume = resume;
                c.sys.flags |= flags & Bits.RF;
            }
            return exit;
        }
        if ((flags & Bits.TF) != 0 && !b.trapLost && (!c.sys.branchTrace() || branched(start))) {
            b.traps |= Breakpoints.BS;
        }
        b.retire();
        return exit;
    }

    private boolean branched(long start) {
        return c.ip != ((start + running.starts[1]) & c.ipMask);
    }

    private Optional<VmExit> stopped() {
        c.breakpoints.resume = true;
        long pc = c.codeLinear(c.ip);
        return Optional.of(new VmExit.Stopped(VmExit.Stop.BREAK, pc, pc));
    }

    /** An instruction has ended that the hypervisor emulated. */
    void ended() {
        Breakpoints b = c.breakpoints;
        c.shadow = false;
        c.stackShadow = false;
        boolean trap = (c.sys.flags & Bits.TF) != 0 && !c.sys.branchTrace();
        c.sys.flags &= ~Bits.RF;
        b.trapLost = false;
        b.traps |= trap ? Breakpoints.BS : 0;
        b.retire();
    }

    /**
     * Block after block, until {@code limit} instructions have retired, or {@link Cpu#attention} is set, or a block or
     * region ends after {@code soon} instructions.
     */
    private Optional<VmExit> chain(long limit, long soon) {
        int i = -1;
        long start = c.ip;
        int left = BLOCKS_BETWEEN_CHECKS;
        try {
            do {
                i = -1;
                start = c.ip;
                long linear = c.codeLinear(start);
                Block block = running.next;
                if (block.linear != linear || block.stamp != c.stamp || block.modeKey != c.modeKey) {
                    block = running.other;
                    if (block.linear != linear || block.stamp != c.stamp || block.modeKey != c.modeKey) {
                        block = c.blocks.at(linear);
                    }
                    running.other = running.next;
                    running.next = block;
                }
                Region region = block.region;
                if (region != null && !c.bounded && c.regions.run(region, start, soon - c.retired)) {
                    running = block;
                    continue;
                }
                if (++block.executed == c.regions.hot) {
                    c.regions.hot(block);
                }
                Op[] ops = block.ops;
                int count = ops.length;
                int length = block.length;
                if (count > limit - c.retired || c.bounded) {
                    count = withinLimit(block, (int) Math.min(count, limit - c.retired), start);
                    length = block.starts[count];
                }
                running = block;
                c.r[Address.BLOCK] = start;
                c.ip = (start + length) & c.ipMask;
                for (i = 0; i < count; i++) {
                    ops[i].run(c);
                }
                c.retired += count;
            } while (!c.attention && c.retired < soon && --left != 0);
        } catch (Unwind u) {
            Region.Translation translation = c.running;
            if (translation != null) {
                c.running = null;
                Region.Place place = translation.places().get(c.regionPlace);
                i = place.index();
                running = place.block();
                start = c.r[Address.BLOCK];
            }
            if (i < 0) {
                return beforeFirst(u, start);
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
        int most = count;
        if (c.breakpoints.code) {
            most = c.breakpoints.firstIn(block, start, count);
            if (most == 0) {
                throw c.exception(Vector.DB, 0);
            }
        }
        if (c.codeSize == CodeSize.BITS64) {
            return most;
        }
        long limit = c.sys.limit[Segment.CS] & 0xffff_ffffL;
        int within = most;
        while (within > 0 && start + block.starts[within] - 1 > limit) {
            within--;
        }
        if (within == 0) {
            throw c.exception(Vector.GP, 0);
        }
        return within;
    }

    /** What keeps a block from its first instruction: a breakpoint there comes before every fault of fetching it. */
    private Optional<VmExit> beforeFirst(Unwind u, long start) {
        int conditions = c.breakpoints.alone ? 0 : c.breakpoints.atInstruction(c.codeLinear(start));
        if (conditions == 0) {
            return unwound(u, false, start, 0);
        }
        c.ip = start;
        if (Breakpoints.isOutside(conditions)) {
            return stopped();
        }
        delivered++;
        return debug(conditions);
    }

    private Optional<VmExit> unwound(Unwind u, boolean stack, long at, int length) {
        c.simd.forget();
        if (!u.switched) {
            c.ip = at;
        }
        delivered++;
        return switch (u.kind) {
            case STALE, LOST -> Optional.empty();
            case ALONE -> {
                c.wantsAlone = true;
                yield Optional.of(new VmExit.Interrupted());
            }
            case EXCEPTION ->
                u.vector == Vector.DB ? debug(u.errorCode) : c.delivery.exception(u.vector, u.errorCode, true);
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
    void awaitPort(PortOp op, int number, int bytes) {
        portOp = Optional.of(op);
        port = number;
        portBytes = bytes;
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
        Breakpoints b = c.breakpoints;
        b.alone = true;
        try {
            if (op.complete(c, value)) {
                c.skip();
            } else {
                ended();
                c.sys.flags |= Bits.RF;
            }
            b.port(port, portBytes);
            c.exitLength = 0;
        } catch (Unwind u) {
            b.dropHits();
            c.exitLength = length;
        } finally {
            b.alone = false;
        }
    }

    String disassembly() {
        return line(c.ip).text();
    }

    /** The instruction at {@code ip}; 0 bytes if it cannot be fetched. */
    Cpu.Line line(long ip) {
        long cr2 = c.sys.cr2;
        try {
            return c.blocks
                    .decodeAt(c.codeLinear(ip))
                    .map(i -> new Cpu.Line(
                            ip,
                            i.length(),
                            Disassembler.text(i, ip),
                            Flags.undefined(i.encoding().flags())))
                    .orElse(new Cpu.Line(ip, 1, "(no instruction)", 0));
        } catch (Unwind u) {
            return new Cpu.Line(ip, 0, "(not mapped)", 0);
        } finally {
            c.sys.cr2 = cr2;
        }
    }
}
