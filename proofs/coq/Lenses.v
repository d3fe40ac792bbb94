(** Lenses and optics over a cartesian left-additive category, and the functor f |-> (f, R[f]).

    - Lenses form a category ([lens_assoc], [lens_id_l], [lens_id_r]) with a bifunctorial tensor
      and a natural, involutive symmetry (LENS.comp, .id, .assoc, .unit, .tensor, .sym).
    - Naturality of copy and discard characterises additive puts (LENS.copynat).
    - Optics with residuals, modulo sliding, are lenses, functorially (OPTIC.slide, OPTIC.iso).
    - For every R with RD.1 to RD.5: RD.tensor, RD.struct, and R is a functor to lenses that
      preserves the tensor (LENS.R).
    Scope: any [CLAC]; A' is arbitrary for lenses and optics, A' = A for R; objects are not
    strictly associative, so the unitors and associators of the tensor are not treated.
    Source: "Categorical foundations of gradient-based learning" (arXiv 2103.01931), section 2;
    "Reverse derivative categories" (arXiv 1910.07065), Proposition 31. *)

Require Import ReverseDerivative.Category ReverseDerivative.Reverse.

Record lens {C : CLAC} (A A' B B' : ob C) := Lens {
  get : hom A B;
  put : hom (A × B') A'
}.
Arguments Lens {C A A' B B'} _ _.
Arguments get {C A A' B B'} _.
Arguments put {C A A' B B'} _.

Definition lens_eq {C : CLAC} {A A' B B' : ob C} (l m : lens A A' B B') : Prop :=
  get l == get m /\ put l == put m.
Notation "l ≈ m" := (lens_eq l m) (at level 70).

Section Lenses.
  Context {C : CLAC}.
  Implicit Types A B X Y Z : ob C.

  #[global] Instance lens_eq_Equivalence A A' B B' : Equivalence (@lens_eq C A A' B B').
  Proof.
    split.
    - intro l; split; reflexivity.
    - intros l m [p q]; split; symmetry; assumption.
    - intros l m n [p q] [p' q']; split; etransitivity; eassumption.
  Qed.

  Definition lens_id A A' : lens A A' A A' := Lens (id A) snd.
  Definition lens_comp {A A' B B' Z Z'} (l : lens A A' B B') (m : lens B B' Z Z') :
    lens A A' Z Z' :=
    Lens (get l ;; get m) (⟨fst, ⟨fst ;; get l, snd⟩ ;; put m⟩ ;; put l).
  Definition lens_tensor {A A' B B' X X' Y Y'} (l : lens A A' B B') (m : lens X X' Y Y') :
    lens (A × X) (A' × X') (B × Y) (B' × Y') :=
    Lens (cross (get l) (get m)) (ex ;; cross (put l) (put m)).
  Definition lens_swap A A' B B' : lens (A × B) (A' × B') (B × A) (B' × A') :=
    Lens swap (snd ;; swap).
  (* LENS.copynat: copy sums the changes, discard returns the change 0 *)
  Definition lens_copy A A' : lens A A' (A × A) (A' × A') :=
    Lens copy (snd ;; (fst ⊕ snd)).
  Definition lens_discard A A' : lens A A' one one := Lens (bang A) O.
End Lenses.
Notation "l >> m" := (lens_comp l m) (at level 45, left associativity).
Notation "l ⊗ m" := (lens_tensor l m) (at level 40, left associativity).

Section Laws.
  Context {C : CLAC}.
  Implicit Types A B X Y Z : ob C.
  Ltac lens := split; cbn; unfold cross, ex, swap, copy; clac; try reflexivity.

  Lemma lens_comp_mor A A' B B' Z Z' (l l' : lens A A' B B') (m m' : lens B B' Z Z') :
    l ≈ l' -> m ≈ m' -> l >> m ≈ l' >> m'.
  Proof. intros [p q] [r s]; split; cbn; rewrite ?p, ?q, ?r, ?s; reflexivity. Qed.

  Theorem lens_id_l A A' B B' (l : lens A A' B B') : lens_id A A' >> l ≈ l.
  Proof. lens. rewrite pair_id, id_l. reflexivity. Qed.
  Theorem lens_id_r A A' B B' (l : lens A A' B B') : l >> lens_id B B' ≈ l.
  Proof. lens. rewrite pair_id, id_l. reflexivity. Qed.
  Theorem lens_assoc A A' B B' X X' Y Y' (l : lens A A' B B') (m : lens B B' X X')
    (n : lens X X' Y Y') : l >> (m >> n) ≈ (l >> m) >> n.
  Proof. lens. Qed.

  Lemma lens_tensor_mor A A' B B' X X' Y Y' (l l' : lens A A' B B') (m m' : lens X X' Y Y') :
    l ≈ l' -> m ≈ m' -> l ⊗ m ≈ l' ⊗ m'.
  Proof. intros [p q] [r s]; split; cbn; rewrite ?p, ?q, ?r, ?s; reflexivity. Qed.
  Theorem lens_tensor_id A A' B B' : lens_id A A' ⊗ lens_id B B' ≈ lens_id (A × B) (A' × B').
  Proof. lens; [apply pair_id | apply pair_eta]. Qed.
  Theorem lens_tensor_comp A A' B B' Z Z' X X' Y Y' U U'
    (l : lens A A' B B') (m : lens B B' Z Z') (h : lens X X' Y Y') (k : lens Y Y' U U') :
    (l ⊗ h) >> (m ⊗ k) ≈ (l >> m) ⊗ (h >> k).
  Proof. lens. Qed.

  Theorem lens_swap_natural A A' B B' X X' Y Y' (l : lens A A' B B') (m : lens X X' Y Y') :
    (l ⊗ m) >> lens_swap B B' Y Y' ≈ lens_swap A A' X X' >> (m ⊗ l).
  Proof. lens. Qed.
  Theorem lens_swap_involutive A A' B B' :
    lens_swap A A' B B' >> lens_swap B B' A A' ≈ lens_id (A × B) (A' × B').
  Proof. lens; [apply pair_id | apply pair_eta]. Qed.

  Theorem lens_copynat A A' B B' (l : lens A A' B B') :
    l >> lens_copy B B' ≈ lens_copy A A' >> (l ⊗ l)
    <-> forall X (a : hom X A) b c, ⟨a, b ⊕ c⟩ ;; put l == ⟨a, b⟩ ;; put l ⊕ ⟨a, c⟩ ;; put l.
  Proof.
    split.
    - intros [_ q] X a b c. apply (at_elem _ _ _ ⟨a, ⟨b, c⟩⟩) in q.
      revert q. cbn. unfold cross, ex, copy. clac. trivial.
    - intro add. lens. apply add.
  Qed.
  Theorem lens_discardnat A A' B B' (l : lens A A' B B') :
    l >> lens_discard B B' ≈ lens_discard A A'
    <-> forall X (a : hom X A), ⟨a, O⟩ ;; put l == O.
  Proof.
    split.
    - intros [_ q] X a. apply (at_elem _ _ _ ⟨a, bang X⟩) in q.
      revert q. cbn. clac. trivial.
    - intro z. split; [apply to_one |]. cbn. clac. apply z.
  Qed.
End Laws.

(** ** Optics *)
Record optic {C : CLAC} (A A' B B' : ob C) := Optic {
  res : ob C;
  fwd : hom A (res × B);
  bwd : hom (res × B') A'
}.
Arguments Optic {C A A' B B'} res _ _.
Arguments res {C A A' B B'} _.
Arguments fwd {C A A' B B'} _.
Arguments bwd {C A A' B B'} _.

(** OPTIC.slide generates the equality of optics. *)
Inductive optic_eq {C : CLAC} {A A' B B' : ob C} : optic A A' B B' -> optic A A' B B' -> Prop :=
| o_parts : forall M l l' r r', l == l' -> r == r' -> optic_eq (Optic M l r) (Optic M l' r')
| o_slide : forall M N (h : hom M N) (l : hom A (M × B)) (r : hom (N × B') A'),
    optic_eq (Optic N (l ;; cross h (id B)) r) (Optic M l (cross h (id B') ;; r))
| o_sym : forall o p, optic_eq o p -> optic_eq p o
| o_trans : forall o p q, optic_eq o p -> optic_eq p q -> optic_eq o q.

Section Optics.
  Context {C : CLAC}.
  Implicit Types A B X Y Z : ob C.

  Definition optic_id A A' : optic A A' A A' := Optic one ⟨bang A, id A⟩ snd.
  (* residual M × N; the pairings re-bracket M × (N × Z) as (M × N) × Z *)
  Definition optic_comp {A A' B B' Z Z'} (o : optic A A' B B') (p : optic B B' Z Z') :
    optic A A' Z Z' :=
    Optic (res o × res p)
      (⟨⟨fwd o ;; fst, fwd o ;; snd ;; fwd p ;; fst⟩, fwd o ;; snd ;; fwd p ;; snd⟩)
      (⟨fst ;; fst, ⟨fst ;; snd, snd⟩ ;; bwd p⟩ ;; bwd o).

  Definition to_lens {A A' B B'} (o : optic A A' B B') : lens A A' B B' :=
    Lens (fwd o ;; snd) (cross (fwd o ;; fst) (id B') ;; bwd o).
  Definition of_lens {A A' B B'} (l : lens A A' B B') : optic A A' B B' :=
    Optic A ⟨id A, get l⟩ (put l).

  (** OPTIC.iso: both ways are well defined, mutually inverse, and functorial. *)
  Theorem to_lens_well_defined A A' B B' (o p : optic A A' B B') :
    optic_eq o p -> to_lens o ≈ to_lens p.
  Proof.
    induction 1 as [M l l' r r' e d | M N h l r | o p _ IH | o p q _ IH _ IH'].
    - split; cbn; rewrite ?e, ?d; reflexivity.
    - split; cbn; unfold cross; clac; reflexivity.
    - symmetry; exact IH.
    - etransitivity; eassumption.
  Qed.
  Theorem of_lens_well_defined A A' B B' (l m : lens A A' B B') :
    l ≈ m -> optic_eq (of_lens l) (of_lens m).
  Proof. intros [p q]. apply o_parts; [rewrite p; reflexivity | exact q]. Qed.
  Theorem to_of_lens A A' B B' (l : lens A A' B B') : to_lens (of_lens l) ≈ l.
  Proof.
    split; cbn; unfold cross; clac; [reflexivity | rewrite pair_id, id_l; reflexivity].
  Qed.
  Theorem of_to_lens A A' B B' (o : optic A A' B B') : optic_eq (of_lens (to_lens o)) o.
  Proof.
    (* slide the first component of fwd, A -> M, through the residual *)
    destruct o as [M l r]. unfold of_lens, to_lens. cbn.
    apply o_trans with (Optic M (⟨id A, l ;; snd⟩ ;; cross (l ;; fst) (id B)) r).
    - apply o_sym, o_slide.
    - apply o_parts; [unfold cross; clac; apply pair_eta | reflexivity].
  Qed.
  Theorem to_lens_id A A' : to_lens (optic_id A A') ≈ lens_id A A'.
  Proof. split; cbn; unfold cross; clac; reflexivity. Qed.
  Theorem to_lens_comp A A' B B' Z Z' (o : optic A A' B B') (p : optic B B' Z Z') :
    to_lens (optic_comp o p) ≈ to_lens o >> to_lens p.
  Proof. split; cbn; unfold cross; clac; reflexivity. Qed.
End Optics.

(** ** The functor of a reverse derivative *)
Section Functor.
  Context {C : CLAC} {R : forall A B : ob C, hom A B -> hom (A × B) A}.
  Arguments R {A B} _.
  Context (H : RD15 (@R)).
  Implicit Types A B X Y Z : ob C.
  Let raw := rd15_raw _ H.
  Let e_id := re_id raw.      Let e_fst := re_fst raw.    Let e_snd := re_snd raw.
  Let e_plus := re_plus raw.  Let e_pair := re_pair raw.  Let e_comp := re_comp raw.
  Let e_0 A B f X a := rd2_zero_arg _ H A B f X a.
  Hint Rewrite e_id e_fst e_snd e_plus e_pair e_comp e_0 : clac.
  #[local] Instance R_Proper'' A B : Proper (eqv ==> eqv) (@R A B).
  Proof. intros f g; apply (R_mor _ H). Qed.

  (** RD.tensor and RD.struct. *)
  Theorem rd_tensor A B X Y (f : hom A B) (g : hom X Y) :
    R (cross f g) == ex ;; cross (R f) (R g).
  Proof. apply elem_ext; intros. unfold cross, ex. clac. reflexivity. Qed.
  Theorem rd_copy A : R (@copy C A) == snd ;; (fst ⊕ snd).
  Proof. apply elem_ext; intros. unfold copy. clac. reflexivity. Qed.
  Theorem rd_add A : R (@fst C A A ⊕ snd) == snd ;; copy.
  Proof. apply elem_ext; intros. unfold copy. clac. reflexivity. Qed.
  Theorem rd_swap A B : R (@swap C A B) == snd ;; swap.
  Proof. apply elem_ext; intros. unfold swap. clac. reflexivity. Qed.
  Theorem rd_const A (c : hom one A) : R c == O.
  Proof. apply to_one. Qed.

  (** LENS.R. *)
  Definition RLens {A B} (f : hom A B) : lens A A B B := Lens f (R f).
  Theorem rlens_mor A B (f g : hom A B) : f == g -> RLens f ≈ RLens g.
  Proof. intro e; split; [exact e | apply (R_mor _ H); exact e]. Qed.
  Theorem rlens_id A : RLens (id A) ≈ lens_id A A.
  Proof. split; [reflexivity | apply (rd3_id _ H)]. Qed.
  Theorem rlens_comp A B Z (f : hom A B) (g : hom B Z) : RLens (f ;; g) ≈ RLens f >> RLens g.
  Proof. split; [reflexivity | apply (raw_comp _ raw)]. Qed.
  Theorem rlens_tensor A B X Y (f : hom A B) (g : hom X Y) :
    RLens (cross f g) ≈ RLens f ⊗ RLens g.
  Proof. split; [reflexivity | apply rd_tensor]. Qed.
  Theorem rlens_swap A B : RLens (@swap C A B) ≈ lens_swap A A B B.
  Proof. split; [reflexivity | apply rd_swap]. Qed.
  Theorem rlens_copy A : RLens (@copy C A) ≈ lens_copy A A.
  Proof. split; [reflexivity | apply rd_copy]. Qed.
  (* so R-lenses are natural in copy: this is RD.2 read as LENS.copynat *)
  Theorem rlens_copynat A B (f : hom A B) :
    RLens f >> lens_copy B B ≈ lens_copy A A >> (RLens f ⊗ RLens f).
  Proof. apply lens_copynat. intros; apply (rd2 _ H). Qed.
End Functor.
