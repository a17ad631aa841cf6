package kvasir.vmm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.SynchronousQueue;
import kvasir.event.Events;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.tdx.Platform;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.TdExit;
import kvasir.metal.tdx.Tdvps;
import kvasir.metal.tdx.TdxModule;
import kvasir.registry.Range;

/**
 * A TDX platform with no kernel: memory, a module that is loaded and not initialised, logical processors that do what a
 * script says. Its vCPUs have no code: one that is entered leaves as the script wants.
 */
final class BareTdx {
    private static final long GIB = 1L << 30;
    private static final long PAGE = 4096;

    private final PhysicalMemory memory;
    private final TdxModule module;
    private TdExit next = new TdExit.Asynchronous(1, 0, 0);
    private long free = GIB;
    private Optional<Inside> entering = Optional.empty();
    private final Map<Long, Inside> inside = new TreeMap<>();

    /** One TDH.VP.ENTER on a thread of its own. Of the two threads one always waits for the other. */
    private record Inside(SynchronousQueue<TdExit> leave, SynchronousQueue<Optional<SeamcallRegs>> back) {}

    /**
     * A platform.
     *
     * @param bytes of memory, whole gigabytes, at least 2
     * @param convertible CMRs
     */
    BareTdx(long bytes, int lps, int packages, List<Range> convertible, Range seam, Events events, long seed) {
        memory = new PhysicalMemory(bytes);
        var all = Platform.of(bytes, lps, packages);
        var platform = new Platform(
                all.maxPhysicalAddressBits(),
                all.keyIdBits(),
                all.mktmeKeys(),
                all.tdxKeys(),
                all.packageOfLp(),
                convertible.isEmpty() ? all.convertible() : convertible,
                seam);
        module = new TdxModule(memory, platform, events, seed);
        module.guest(this::run);
    }

    PhysicalMemory memory() {
        return memory;
    }

    TdxModule module() {
        return module;
    }

    /** How the next vCPU that is entered leaves. */
    void next(TdExit exit) {
        next = exit;
    }

    private TdExit run(TdxModule entered, Tdvps vcpu) {
        if (entering.isEmpty()) {
            return next;
        }
        Inside now = entering.get();
        entering = Optional.empty();
        inside.put(vcpu.hpa(), now);
        put(now.back, Optional.empty());
        return take(now.leave);
    }

    /**
     * TDH.VP.ENTER that does not come back before {@link #leave}.
     *
     * @return the registers if the vCPU was not entered
     */
    Optional<SeamcallRegs> enter(int lp, long tdvpr) {
        var now = new Inside(new SynchronousQueue<>(), new SynchronousQueue<>());
        entering = Optional.of(now);
        Thread.ofVirtual().start(() -> put(now.back, Optional.of(module.seamcall(lp, SeamcallRegs.of(0, tdvpr, 0)))));
        Optional<SeamcallRegs> back = take(now.back);
        entering = Optional.empty();
        return back;
    }

    /** The vCPU that {@link #enter} left inside goes out as {@link #next} says; empty if it is not inside. */
    Optional<SeamcallRegs> leave(long tdvpr) {
        return Optional.ofNullable(inside.remove(tdvpr)).flatMap(now -> {
            put(now.leave, next);
            return take(now.back);
        });
    }

    private static <T> void put(SynchronousQueue<T> queue, T value) {
        try {
            queue.put(value);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a hand-over", e);
        }
    }

    private static <T> T take(SynchronousQueue<T> queue) {
        try {
            return queue.take();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a hand-over", e);
        }
    }

    /** A free page of the TDMR that begins at 1 GiB, never handed out before. */
    long page() {
        long page = free;
        free += PAGE;
        return page;
    }

    /** A free 2 MiB page, aligned. */
    long largePage() {
        long page = (free + (2 << 20) - 1) & -(2L << 20);
        free = page + (2 << 20);
        return page;
    }

    Runnable checkpoint() {
        PhysicalMemory.Snapshot bytes = memory.snapshot();
        TdxModule.Saved saved = module.save();
        TdExit savedNext = next;
        long savedFree = free;
        return () -> {
            memory.restore(bytes);
            module.restore(saved);
            next = savedNext;
            free = savedFree;
        };
    }
}
