package kvasir.kvm.semantics;

/** A semantics that a script has put together. */
final class Custom extends Semantics {
    private final Semantics base;

    Custom(String name, Semantics base, Policies policies) {
        super(name, base.kernel(), policies);
        this.base = base;
    }

    @Override
    public String doc() {
        return base.name() + " with other policies";
    }
}
