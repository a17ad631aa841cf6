package kvasir.metal.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Decoded;
import kvasir.metal.cpu.isa.Decoder;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.memory.NativeMemory;
import kvasir.metal.memory.PhysicalMemory;

/**
 * Decoded code by physical page and mode. A store into decoded bytes drops the blocks that hold them; bytes that the
 * host changed are noticed when a block is entered for the first time after {@link Cpu#run} was called.
 */
final class Blocks {
    private static final int MOST_INSTRUCTIONS = 64;
    private static final int MOST_BYTES = 15;
    private static final int PAGE_BYTES = PhysicalMemory.FRAME_BYTES;

    /** A booting kernel executes more than 20,000 blocks. */
    private static final int CACHE = 1 << 15;

    private final Cpu c;
    private final PhysicalMemory memory;
    private final Map<Long, Page> pages = new HashMap<>();
    private final Block[] byLinear = new Block[CACHE];
    private final Decoder[] decoders = new Decoder[6];
    private final Op stale;

    /** The blocks that begin in one page or reach into it. */
    private static final class Page {
        final Map<Integer, Block> blocks = new HashMap<>();
        final List<Block> reaching = new ArrayList<>();

        /** One bit for each 64 bytes that hold decoded code. */
        long covered;
    }

    /** What stands where an instruction was. */
    private static final class Stale extends Op {
        Stale(Operands operands) {
            super(operands);
        }

        @Override
        void run(Cpu c) {
            throw c.stale();
        }
    }

    Blocks(Cpu c) {
        this.c = c;
        memory = c.memory;
        stale = new Stale(new Operands(Semantics.FILLER, 0, 0, CodeSize.BITS64));
        for (CodeSize size : CodeSize.values()) {
            decoders[size.ordinal() * 2] = new Decoder(size, c.model, false);
            decoders[size.ordinal() * 2 + 1] = new Decoder(size, c.model, true);
        }
    }

    /** The block at {@code linear} in the present mode. */
    Block at(long linear) {
        int slot = (int) (linear ^ linear >>> 12) & (CACHE - 1);
        Block block = byLinear[slot];
        if (block != null && block.linear == linear && block.modeKey == c.modeKey) {
            if (block.stamp == c.stamp) {
                return block;
            }
            if (!block.dead && block.frame == c.mem.fetchFrame(linear) && current(block, linear)) {
                block.stamp = c.stamp;
                return block;
            }
        }
        block = find(linear);
        block.linear = linear;
        block.stamp = c.stamp;
        byLinear[slot] = block;
        return block;
    }

    private Block find(long linear) {
        long frame = c.mem.fetchFrame(linear);
        int offset = (int) linear & (PAGE_BYTES - 1);
        Page page = pages.get(frame);
        if (page != null) {
            Block block = page.blocks.get(key(offset, c.modeKey));
            if (block != null && !block.dead && current(block, linear)) {
                return block;
            }
            if (block != null) {
                kill(block);
                leave(block, block.frame);
                leave(block, block.nextFrame);
            }
        }
        return remember(build(linear, frame, offset));
    }

    /** The offset is lowest, so that the blocks of a page spread over its map. */
    private static int key(int offset, int modeKey) {
        return modeKey << 12 | offset;
    }

    private boolean current(Block block, long linear) {
        boolean sameNext = block.nextFrame < 0 || block.nextFrame == c.mem.fetchFrame(nextPage(linear));
        boolean good = sameNext && (block.compared == c.hostStamp || unchanged(block));
        if (good) {
            block.compared = c.hostStamp;
        }
        return good;
    }

    private long nextPage(long linear) {
        return c.wrap((linear & -PAGE_BYTES) + PAGE_BYTES);
    }

    /** Whether memory holds what the block was decoded from. */
    boolean unchanged(Block block) {
        long host = memory.readable(block.frame);
        int here = Math.min(block.bytes(), PAGE_BYTES - block.offset);
        for (int i = 0; i < here; i++) {
            if (NativeMemory.get8(host + block.offset + i) != block.codeByte(i)) {
                return false;
            }
        }
        if (here == block.bytes()) {
            return true;
        }
        long next = memory.readable(block.nextFrame);
        for (int i = here; i < block.bytes(); i++) {
            if (NativeMemory.get8(next + i - here) != block.codeByte(i)) {
                return false;
            }
        }
        return true;
    }

    private Block remember(Block block) {
        block.compared = c.hostStamp;
        int here = Math.min(block.bytes(), PAGE_BYTES - block.offset);
        Page page = cover(block.frame, block.offset, here);
        page.blocks.put(key(block.offset, block.modeKey), block);
        page.reaching.add(block);
        if (block.nextFrame >= 0) {
            cover(block.nextFrame, 0, block.bytes() - here).reaching.add(block);
        }
        return block;
    }

    private Page cover(long frame, int offset, int bytes) {
        Page page = pages.get(frame);
        if (page == null) {
            page = new Page();
            pages.put(frame, page);
            c.mem.flushWrites();
        }
        page.covered |= chunks(offset, bytes);
        return page;
    }

    private static long chunks(int offset, int bytes) {
        int first = offset >> 6;
        int last = (offset + Math.max(1, bytes) - 1) >> 6;
        return -1L >>> (63 - (last - first)) << first;
    }

    /** Whether stores to the frame must be told to {@link #written}. */
    boolean holdsCode(long frame) {
        return pages.containsKey(frame);
    }

    /** Drops the blocks that hold any of {@code bytes} bytes at {@code hpa}, all in one page. */
    void written(long hpa, int bytes) {
        Page page = pages.get(hpa >>> 12);
        int offset = (int) hpa & (PAGE_BYTES - 1);
        if (page == null || (page.covered & chunks(offset, bytes)) == 0) {
            return;
        }
        long frame = hpa >>> 12;
        page.covered = 0;
        var kept = new ArrayList<Block>();
        for (Block block : page.reaching) {
            int start = block.frame == frame ? block.offset : 0;
            int end = block.frame == frame
                    ? Math.min(PAGE_BYTES, block.offset + block.bytes())
                    : block.offset + block.bytes() - PAGE_BYTES;
            if (offset < end && start < offset + bytes) {
                kill(block);
                page.blocks.remove(key(block.offset, block.modeKey), block);
                leave(block, block.frame == frame ? block.nextFrame : block.frame);
            } else {
                kept.add(block);
                page.covered |= chunks(start, end - start);
            }
        }
        page.reaching.clear();
        page.reaching.addAll(kept);
        if (kept.isEmpty()) {
            pages.remove(frame);
        }
    }

    /** The page of {@code frame}, if there is one, has the block no longer. */
    private void leave(Block block, long frame) {
        Page page = pages.get(frame);
        if (page != null) {
            page.reaching.remove(block);
            page.blocks.remove(key(block.offset, block.modeKey), block);
        }
    }

    private Block build(long linear, long frame, int offset) {
        CodeSize codeSize = c.codeSize;
        Decoder decoder = decoders[codeSize.ordinal() * 2 + (c.protectedMode() ? 1 : 0)];
        byte[] code = new byte[PAGE_BYTES - offset + MOST_BYTES];
        int here = PAGE_BYTES - offset;
        long host = memory.readable(frame);
        NativeMemory.copyOut(host + offset, code, 0, Math.min(here, MOST_BYTES * MOST_INSTRUCTIONS));
        var ops = new ArrayList<Op>();
        int[] starts = new int[MOST_INSTRUCTIONS + 1];
        int at = 0;
        long nextFrame = -1;
        while (ops.size() < MOST_INSTRUCTIONS && at < here) {
            Decoded decoded = decoder.decode(code, at, here);
            if (decoded instanceof Decoded.Incomplete) {
                if (!ops.isEmpty()) {
                    break;
                }
                nextFrame = c.mem.fetchFrame(nextPage(linear));
                long next = memory.readable(nextFrame);
                for (int i = 0; i < MOST_BYTES; i++) {
                    code[here + i] = NativeMemory.get8(next + i);
                }
                decoded = decoder.decode(code, at, here + MOST_BYTES);
            }
            int length = decoded instanceof Instruction i ? i.length() : 1;
            Op op = Semantics.make(decoded, at + length, ops.size(), codeSize, c.gateKey, c.shared);
            if (c.busLockExits && decoded instanceof Instruction locked && BusLock.mayTake(locked)) {
                op = new BusLock(new Operands(locked, at + length, ops.size(), codeSize), op);
            }
            ops.add(op);
            at += length;
            starts[ops.size()] = at;
            if (op.endsBlock()) {
                break;
            }
        }
        return new Block(
                ops.toArray(new Op[0]),
                Arrays.copyOf(starts, ops.size() + 1),
                c.modeKey,
                frame,
                offset,
                at > here ? nextFrame : -1,
                Arrays.copyOf(code, at));
    }

    /** Forgets every block. */
    void clear() {
        pages.values().forEach(page -> page.reaching.forEach(this::kill));
        pages.clear();
        c.mem.flush();
    }

    private void kill(Block block) {
        block.kill(stale);
        List.copyOf(block.regions).forEach(c.regions::drop);
    }

    /** The block at {@code linear} in mode {@code modeKey}, if it has been executed and its page is in the TLB. */
    Optional<Block> known(long linear, int modeKey) {
        Page page = pages.get(c.mem.cachedFrame(linear));
        int offset = (int) linear & (PAGE_BYTES - 1);
        return page == null
                ? Optional.empty()
                : Optional.ofNullable(page.blocks.get(key(offset, modeKey))).filter(block -> block.nextFrame < 0);
    }

    /** The blocks of the page of {@code other} and for its mode that were executed at least {@code times} times, in order. */
    List<Block> hotBeside(Block other, int times) {
        Page page = pages.get(other.frame);
        if (page == null) {
            return List.of();
        }
        return page.blocks.values().stream()
                .filter(block -> block.executed >= times && block.modeKey == other.modeKey && block.nextFrame < 0)
                .sorted(Comparator.comparingInt(block -> block.offset))
                .toList();
    }

    /** What the operations of a block in the present mode were made from; up to the first that is none. */
    List<Instruction> instructions(Block block) {
        byte[] code = new byte[block.bytes()];
        for (int i = 0; i < code.length; i++) {
            code[i] = (byte) block.codeByte(i);
        }
        Decoder decoder = decoders[c.codeSize.ordinal() * 2 + (c.protectedMode() ? 1 : 0)];
        var instructions = new ArrayList<Instruction>();
        for (int i = 0; i < block.ops.length; i++) {
            if (!(decoder.decode(code, block.starts[i], code.length) instanceof Instruction instruction)) {
                break;
            }
            instructions.add(instruction);
        }
        return instructions;
    }

    /** The instruction at {@code linear}, decoded but not executed; empty if the bytes are none. */
    Optional<Instruction> decodeAt(long linear) {
        byte[] code = new byte[MOST_BYTES];
        for (int i = 0; i < MOST_BYTES; i++) {
            long address = c.wrap(linear + i);
            code[i] = NativeMemory.get8(memory.readable(c.mem.fetchFrame(address)) + (address & (PAGE_BYTES - 1)));
        }
        Decoder decoder = decoders[c.codeSize.ordinal() * 2 + (c.protectedMode() ? 1 : 0)];
        return decoder.decode(code, 0, MOST_BYTES) instanceof Instruction i ? Optional.of(i) : Optional.empty();
    }
}
