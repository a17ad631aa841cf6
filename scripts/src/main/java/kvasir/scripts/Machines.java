package kvasir.scripts;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import kvasir.event.Events;
import kvasir.kvm.Seams;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Outcome;

/** Where scripts get their machines from, and what is known about them before any exists. */
public interface Machines {
    /** The selectable semantics, oldest first. */
    List<String> semantics();

    /** The semantics of a script that names none. */
    String defaultSemantics();

    /** The words after {@code vm NAME =}. */
    List<String> vmTypes();

    /** What may stand in the braces of {@code vm NAME = type { ... }}. */
    Api<?> builderApi(String vmType);

    /** What {@code vm NAME = type { ... }} gives. */
    Api<?> vmApi(String vmType);

    /** Names that every script sees without declaring them, with what they are. */
    List<Global> globals();

    /** What a host may do at any time, by name: {@code explore { faults ... }}. */
    default List<String> faults() {
        return List.of();
    }

    /** Every declaration, for the reference manual and for checks; each class once, in the order of a reader. */
    List<Api<?>> apis();

    /** A fresh machine. */
    World create(Choice choice);

    /** A name that every script sees. */
    record Global(String name, Api<?> api) {}

    /**
     * What distinguishes one machine from another.
     *
     * @param semantics one of {@link #semantics()}, or the name of {@code custom}
     * @param custom present if the script put the semantics together
     * @param seed of everything random
     * @param instructionBudget guest instructions that one {@code run} may retire, at least 1
     */
    record Choice(String semantics, Optional<Custom> custom, long seed, long instructionBudget) {
        /** A machine with one of the named semantics. */
        public Choice(String semantics, long seed, long instructionBudget) {
            this(semantics, Optional.empty(), seed, instructionBudget);
        }
    }

    /**
     * {@code semantics name from base { policy word ... }}.
     *
     * @param base one of {@link #semantics()}
     * @param policies words by the name of the policy they replace
     */
    record Custom(String name, String base, Map<String, String> policies) {}

    /** Why {@code custom} cannot be, one sentence for each of its policies that is not legal. */
    default List<String> problems(Custom custom) {
        return List.of("these machines have the named semantics only");
    }

    /** One machine, confined to one thread at a time. */
    interface World extends AutoCloseable {
        /** The stream of this machine. */
        Events events();

        /** The object behind a name of {@link Machines#globals()}. */
        Optional<Described> global(String name);

        /** The builder behind {@code vm name = type { ... }}; {@code type} is one of {@link Machines#vmTypes()}. */
        Described builder(String type, String name);

        /**
         * Ends a declaration.
         *
         * @return the VM as a {@link Described}, or an {@link Outcome.Failed}
         */
        Object build(Described builder);

        /** Puts {@code seams} under the kernel: whoever decides what runs next from now on. */
        void seams(Seams seams);

        /** The statement of an invariant that does not hold now, if there is one. */
        Optional<String> violation();

        /** From now on what must always hold is checked after every event, or not any more. */
        default void watchInvariants(boolean on) {}

        /** The first invariant that broke while they were watched, or is broken now where something happened. */
        default Optional<String> brokenInvariant() {
            return Optional.empty();
        }

        /** The same after a look at everything. */
        default Optional<String> brokenInvariantAtEnd() {
            return brokenInvariant();
        }

        /** Something that a host may do at any time happens now; {@code fault} is one of {@link Machines#faults()}. */
        default Outcome inject(String fault) {
            throw new IllegalStateException("nothing happens to these machines");
        }

        /** Whether a VM of this machine ran into a bug check of the kernel (KVM_BUG_ON). */
        boolean kernelBug();

        /** Gives each of {@code tasks} tasks host pages of its own; {@code running} tells which one runs. */
        default void divide(int tasks, IntSupplier running) {}

        /** Whether {@link #fingerprint} and what is told at the seams say everything about the machine. */
        default boolean fingerprinted() {
            return false;
        }

        /** All state that is not told at the seams, as a number that is the same for the same state in every run. */
        default long fingerprint() {
            return 0;
        }

        /** The whole machine as it is, as an action that puts it back; it can be done any number of times. */
        default Runnable checkpoint() {
            throw new IllegalStateException("these machines cannot be put back");
        }

        /** The serial port of the VM of that name, if it has devices. */
        default Optional<SerialConsole> console(String name) {
            return Optional.empty();
        }

        /** The host's memory. */
        default PhysicalMemory memory() {
            throw new IllegalStateException("these machines have no memory");
        }

        /** Makes a guest that runs on another thread come back soon; the only method another thread may call. */
        void interrupt();

        @Override
        void close();
    }
}
