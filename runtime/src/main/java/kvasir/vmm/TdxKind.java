package kvasir.vmm;

import kvasir.registry.Api;

/** {@code vm NAME = tdx { ... }}. */
final class TdxKind implements VmKind {
    @Override
    public String word() {
        return "tdx";
    }

    @Override
    public Api<?> builderApi() {
        return TdBuilder.API;
    }

    @Override
    public Api<?> vmApi() {
        return TdHandle.API;
    }

    @Override
    public VmBuilder builder(Machine machine, String name) {
        return new TdBuilder(machine, name);
    }
}
