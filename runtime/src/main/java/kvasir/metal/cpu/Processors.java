package kvasir.metal.cpu;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Logical processors that run at the same time, each on a thread of its own. Only guest code runs side by side: what a
 * hypervisor does with an exit, one thread does at a time. A thread holds the {@link #enter hypervisor's lock} always but
 * within {@link Cpu#run}.
 *
 * <p>Whoever holds the lock can have all processors {@link #standStill()}: none executes guest code then until the lock
 * is let go. That is how translations are shot down, and how a locked access runs that no single access of the host can
 * stand for.
 */
public final class Processors {
    /** Turns of waiting before the thread sleeps: a processor looks up every few microseconds. */
    private static final int SPINS = 2000;

    private final ReentrantLock hypervisor = new ReentrantLock();
    private final List<Member> members = new CopyOnWriteArrayList<>();

    /** Where {@link #standStill()} sleeps. */
    private final Object gate = new Object();

    private volatile boolean stopping;

    /** A processor here. */
    private static final class Member {
        final Cpu cpu;
        volatile boolean inGuest;
        boolean sleeps;

        /** Who executes it, or sleeps for it. */
        volatile @Nullable Thread thread;

        Member(Cpu cpu) {
            this.cpu = cpu;
        }
    }

    void add(Cpu cpu) {
        members.removeIf(member -> member.cpu.apicId == cpu.apicId);
        members.add(new Member(cpu));
    }

    private Member member(Cpu cpu) {
        for (Member member : members) {
            if (member.cpu == cpu) {
                return member;
            }
        }
        throw new IllegalArgumentException("processor " + cpu.apicId + " is not here");
    }

    /** Takes the hypervisor's lock; the thread is from now on the one that executes {@code cpu}. */
    public void enter(Cpu cpu) {
        hypervisor.lock();
        if (members.stream().noneMatch(member -> member.cpu == cpu)) {
            // a snapshot from before the vCPU got another processor was restored
            add(cpu);
        }
        member(cpu).thread = Thread.currentThread();
    }

    /** Lets the hypervisor's lock go, for good. */
    public void leave(Cpu cpu) {
        member(cpu).thread = null;
        hypervisor.unlock();
    }

    /** Sleeps, without the lock, until {@link Cpu#kick()}; may wake too early. */
    public void sleep(Cpu cpu) {
        Member member = member(cpu);
        if (!cpu.kicked) {
            member.sleeps = true;
            hypervisor.unlock();
            try {
                LockSupport.park(this);
            } finally {
                hypervisor.lock();
                member.sleeps = false;
            }
        }
        cpu.kicked = false;
    }

    /** Lets others have the lock for {@code nanos}; the processor does not count as one that sleeps. */
    public void await(long nanos) {
        hypervisor.unlock();
        try {
            LockSupport.parkNanos(this, nanos);
        } finally {
            hypervisor.lock();
        }
    }

    /** Lets the host run other threads, which may take the lock. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing waits for it: spinning guests only get on faster
    public void giveWay() {
        hypervisor.unlock();
        try {
            Thread.yield();
        } finally {
            hypervisor.lock();
        }
    }

    /** Whether every processor but {@code cpu} sleeps, and none has been woken. */
    public boolean othersSleep(Cpu cpu) {
        return members.stream().allMatch(other -> other.cpu == cpu || other.sleeps && !other.cpu.kicked);
    }

    /** Returns once no processor executes guest code; none will before the calling thread lets the lock go. */
    public void standStill() {
        if (!hypervisor.isHeldByCurrentThread() || !anyInGuest()) {
            return;
        }
        stopping = true;
        for (Member member : members) {
            if (member.inGuest) {
                member.cpu.kicked = true;
            }
        }
        for (int i = 0; i < SPINS && anyInGuest(); i++) {
            Thread.onSpinWait();
        }
        boolean interrupted = false;
        synchronized (gate) {
            while (anyInGuest()) {
                try {
                    gate.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        stopping = false;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean anyInGuest() {
        for (Member member : members) {
            if (member.inGuest) {
                return true;
            }
        }
        return false;
    }

    void wake(Cpu cpu) {
        for (Member member : members) {
            Thread thread = member.thread;
            if (member.cpu == cpu && thread != null) {
                LockSupport.unpark(thread);
            }
        }
    }

    VmExit run(Cpu cpu, long budget) {
        if (!hypervisor.isHeldByCurrentThread()) {
            return cpu.interpreter.run(budget, Optional.empty());
        }
        long limit = cpu.retired + Math.min(budget, Long.MAX_VALUE - cpu.retired);
        while (true) {
            VmExit exit = beside(cpu, Math.max(1, limit - cpu.retired));
            if (!cpu.wantsAlone) {
                return exit;
            }
            cpu.wantsAlone = false;
            standStill();
            exit = cpu.interpreter.run(1, Optional.empty());
            if (!(exit instanceof VmExit.Budget) || cpu.retired >= limit) {
                return exit;
            }
        }
    }

    /** Runs while others do. */
    private VmExit beside(Cpu cpu, long budget) {
        Member member = member(cpu);
        cpu.alone = false;
        member.inGuest = true;
        hypervisor.unlock();
        try {
            return cpu.interpreter.run(budget, Optional.empty());
        } finally {
            member.inGuest = false;
            if (stopping) {
                synchronized (gate) {
                    gate.notifyAll();
                }
            }
            hypervisor.lock();
            cpu.alone = true;
            cpu.tellAll();
        }
    }

    /** The hypervisor's own execution of an instruction: locked accesses are atomic here too. */
    VmExit emulate(Cpu cpu, MmioBus bus) {
        if (!hypervisor.isHeldByCurrentThread()) {
            return cpu.interpreter.run(1, Optional.of(bus));
        }
        cpu.alone = false;
        try {
            VmExit exit = cpu.interpreter.run(1, Optional.of(bus));
            if (!cpu.wantsAlone) {
                return exit;
            }
            cpu.wantsAlone = false;
        } finally {
            cpu.alone = true;
            cpu.tellAll();
        }
        standStill();
        return cpu.interpreter.run(1, Optional.of(bus));
    }
}
