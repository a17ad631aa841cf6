package kvasir.vmm;

import kvasir.registry.Api;

/** One word after {@code vm NAME =}. */
public interface VmKind {
    /** The word. */
    String word();

    /** What may stand in the braces. */
    Api<?> builderApi();

    /** What the declaration gives. */
    Api<?> vmApi();

    /** Starts a declaration. */
    VmBuilder builder(Machine machine, String name);
}
