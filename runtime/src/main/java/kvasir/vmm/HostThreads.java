package kvasir.vmm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.kvm.MpState;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.Processors;

/**
 * One run of a VM whose vCPUs each have a thread of the host. Guest code runs at the same time; what the VMM and KVM do
 * with an exit, one thread does at a time, under the lock of {@link Processors}. All fields here are guarded by it.
 */
final class HostThreads {
    /** Instructions of one KVM_RUN: how finely the budget is dealt out. */
    private static final long SLICE = 200_000;

    private static final long NANOS_FOR_OTHERS = 100_000;

    private final Vm vm;
    private final Processors processors;
    private final Slice slice;
    private final long budget;

    /** Instructions that have retired, or that a slice under way may still retire. */
    private long granted;

    private int underWay;
    private Optional<Ended> ended = Optional.empty();
    private Optional<Throwable> failure = Optional.empty();

    /** Runs one vCPU until its slice is over or it sleeps: then empty; or the end of everything. */
    interface Slice {
        Optional<Ended> run(Vcpu vcpu, long instructions);
    }

    /** @param budget instructions of all vCPUs together, at least 1 */
    HostThreads(Vm vm, Processors processors, Slice slice, long budget) {
        this.vm = vm;
        this.processors = processors;
        this.slice = slice;
        this.budget = budget;
    }

    /** Runs the guest until it ends; what one thread throws ends the others and is thrown here. */
    Ended run() {
        vm.kvm().memory().share(processors::standStill);
        try {
            var threads = new ArrayList<Thread>();
            for (Vcpu vcpu : vm.vcpus()) {
                threads.add(Thread.ofPlatform()
                        .daemon()
                        .name(vm.name() + ".vcpu" + vcpu.id())
                        .start(() -> execute(vcpu)));
            }
            join(threads);
        } finally {
            vm.kvm().memory().unshare();
            vm.vcpus().forEach(Vcpu::takeSignal);
        }
        if (failure.isPresent()) {
            switch (failure.get()) {
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
        }
        return ended.orElseThrow();
    }

    private void join(List<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                    vm.vcpus().forEach(Vcpu::interrupt);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void execute(Vcpu vcpu) {
        processors.enter(vcpu.cpu());
        try {
            while (ended.isEmpty()) {
                long grant = Math.min(SLICE, budget - granted);
                if (grant > 0) {
                    slice(vcpu, grant);
                } else if (underWay == 0) {
                    end(new Ended.BudgetSpent(budget));
                } else {
                    processors.await(NANOS_FOR_OTHERS);
                }
            }
        } catch (RuntimeException | Error e) {
            if (failure.isEmpty()) {
                failure = Optional.of(e);
            }
            end(new Ended.Interrupted());
        } finally {
            processors.leave(vcpu.cpu());
        }
    }

    private void slice(Vcpu vcpu, long grant) {
        Cpu cpu = vcpu.cpu();
        long before = cpu.retired();
        granted += grant;
        underWay++;
        Optional<Ended> end;
        try {
            end = slice.run(vcpu, grant);
        } finally {
            underWay--;
            granted -= grant - (cpu.retired() - before);
        }
        if (end.isPresent()) {
            end(end.get());
        } else if (vcpu.mpState() != MpState.RUNNABLE) {
            sleep(cpu);
        } else {
            processors.giveWay();
        }
    }

    /** Sleeps until something arrives; the last to fall asleep lets time pass up to the next timer instead. */
    private void sleep(Cpu cpu) {
        if (!processors.othersSleep(cpu)) {
            processors.sleep(cpu);
        } else if (!vm.idle()) {
            end(new Ended.Asleep(vm.vcpus().stream().map(Vcpu::mpState).toList()));
        }
    }

    private void end(Ended how) {
        if (ended.isEmpty()) {
            ended = Optional.of(how);
            vm.vcpus().forEach(Vcpu::interrupt);
        }
    }
}
