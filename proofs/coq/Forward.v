(** From a reverse to a forward derivative: CD.1 to CD.7, and the induction steps of RD.6, RD.7.

    - For R with RD.1 to RD.5 and D as in RD.D: CD.1 to CD.5 hold, and RD.6 and RD.7, said on
      generalised elements, are inherited by composition, pairing, sums and the constants.
    - [rdc_cdc]: an operator with RD.1 to RD.7 has CD.1 to CD.7.
    Scope: A' = A (changes are of the type of the values); any [CLAC].
    Source: "Reverse derivative categories" (arXiv 1910.07065), Theorem 16. *)

Require Import ReverseDerivative.Category ReverseDerivative.Reverse.

(** ** RD.1 to RD.5 *)
Section Forward.
  Context {C : CLAC} {R : forall A B : ob C, hom A B -> hom (A × B) A}.
  Arguments R {A B} _.
  Context (H : RD15 (@R)).
  Implicit Types A B X Y : ob C.
  Notation D := (D (@R)).

  #[local] Instance R_Proper A B : Proper (eqv ==> eqv) (@R A B).
  Proof. intros f g; apply (R_mor _ H). Qed.
  #[local] Instance D_Proper A B : Proper (eqv ==> eqv) (@Reverse.D C (@R) A B).
  Proof. intros f g e; unfold Reverse.D; rewrite e; reflexivity. Qed.

  Let raw := rd15_raw _ H.
  Let e_id := re_id raw.      Let e_fst := re_fst raw.    Let e_snd := re_snd raw.
  Let e_bang := re_bang raw.  Let e_zero := re_zero raw.  Let e_plus := re_plus raw.
  Let e_pair := re_pair raw.  Let e_comp := re_comp raw.
  Let e_add A B f X a b c := rd2 _ H A B f X a b c.
  Let e_0 A B f X a := rd2_zero_arg _ H A B f X a.
  Hint Rewrite e_id e_fst e_snd e_bang e_zero e_plus e_pair e_comp e_0 : clac.

  Lemma de X A B (f : hom A B) (u v : hom X A) : ⟨u, v⟩ ;; D f == ⟨⟨u, O⟩, v⟩ ;; R (R f) ;; snd.
  Proof. unfold Reverse.D, cross, iota0. clac. reflexivity. Qed.

  Lemma de_add X A B (f : hom A B) (u v w : hom X A) :
    ⟨u, v ⊕ w⟩ ;; D f == ⟨u, v⟩ ;; D f ⊕ ⟨u, w⟩ ;; D f.
  Proof. rewrite !de, e_add. clac. reflexivity. Qed.
  Lemma de_0 X A B (f : hom A B) (u : hom X A) : ⟨u, O⟩ ;; D f == O.
  Proof. rewrite !de. clac. reflexivity. Qed.
  Lemma de_id X A (u v : hom X A) : ⟨u, v⟩ ;; D (id A) == v.
  Proof. rewrite de, (rd3_id _ H). clac. reflexivity. Qed.
  Lemma de_fst X A B (u v : hom X (A × B)) : ⟨u, v⟩ ;; D fst == v ;; fst.
  Proof. rewrite de, (raw_fst _ raw). clac. reflexivity. Qed.
  Lemma de_snd X A B (u v : hom X (A × B)) : ⟨u, v⟩ ;; D snd == v ;; snd.
  Proof. rewrite de, (raw_snd _ raw). clac. reflexivity. Qed.
  Lemma de_bang X A (u v : hom X A) : ⟨u, v⟩ ;; D (bang A) == O.
  Proof. apply to_one. Qed.
  Lemma de_zero X A B (u v : hom X A) : ⟨u, v⟩ ;; D (@zero C A B) == O.
  Proof. rewrite de, (rd1_zero _ H). clac. reflexivity. Qed.
  Lemma de_plus X A B (f g : hom A B) (u v : hom X A) :
    ⟨u, v⟩ ;; D (f ⊕ g) == ⟨u, v⟩ ;; D f ⊕ ⟨u, v⟩ ;; D g.
  Proof. rewrite !de, (rd1 _ H). clac. reflexivity. Qed.
  Lemma de_pair X A B Z (f : hom A B) (g : hom A Z) (u v : hom X A) :
    ⟨u, v⟩ ;; D ⟨f, g⟩ == ⟨⟨u, v⟩ ;; D f, ⟨u, v⟩ ;; D g⟩.
  Proof.
    rewrite de, (raw_pair _ raw). clac. rewrite !de. reflexivity.
  Qed.
  Lemma de_comp X A B Z (f : hom A B) (g : hom B Z) (u v : hom X A) :
    ⟨u, v⟩ ;; D (f ;; g) == ⟨u ;; f, ⟨u, v⟩ ;; D f⟩ ;; D g.
  Proof.
    rewrite de, (raw_comp _ raw). clac. rewrite !de. reflexivity.
  Qed.

  Hint Rewrite de_id de_fst de_snd de_bang de_zero de_plus de_pair de_comp de_0 : clac.

  (** CD.3, CD.4, CD.5 as equations of maps: the point (u, v) is the identity on A × A. *)
  Ltac both := apply elem_ext; intros; clac.
  Lemma D_id A : D (id A) == snd.
  Proof. both; reflexivity. Qed.
  Lemma D_fst A B : D (@fst C A B) == snd ;; fst.
  Proof. both; reflexivity. Qed.
  Lemma D_snd A B : D (@snd C A B) == snd ;; snd.
  Proof. both; reflexivity. Qed.
  Lemma D_pair A B Z (f : hom A B) (g : hom A Z) : D ⟨f, g⟩ == ⟨D f, D g⟩.
  Proof. both; reflexivity. Qed.
  Lemma D_comp A B Z (f : hom A B) (g : hom B Z) : D (f ;; g) == ⟨fst ;; f, D f⟩ ;; D g.
  Proof. both; reflexivity. Qed.
  Lemma D_zero A B : D (@zero C A B) == O.
  Proof. both; reflexivity. Qed.
  Lemma D_plus A B (f g : hom A B) : D (f ⊕ g) == D f ⊕ D g.
  Proof. both; reflexivity. Qed.

  (** RD.6 is inherited.  The step for composition uses D[f](u, 0) = 0, i.e. RD.2 of R[f]. *)
  Notation RD6_at := (RD6_at (@R)).
  Lemma rd6_id A : RD6_at (id A).
  Proof. intros X u v w. rewrite (rd3_id _ H). clac. reflexivity. Qed.
  Lemma rd6_fst A B : RD6_at (@fst C A B).
  Proof. intros X u v w. rewrite (raw_fst _ raw). clac. reflexivity. Qed.
  Lemma rd6_snd A B : RD6_at (@snd C A B).
  Proof. intros X u v w. rewrite (raw_snd _ raw). clac. reflexivity. Qed.
  Lemma rd6_bang A : RD6_at (bang A).
  Proof. intros X u v w. rewrite (rd4_bang _ H). clac. reflexivity. Qed.
  Lemma rd6_zero A B : RD6_at (@zero C A B).
  Proof. intros X u v w. rewrite (rd1_zero _ H). clac. reflexivity. Qed.
  Lemma rd6_plus A B (f g : hom A B) : RD6_at f -> RD6_at g -> RD6_at (f ⊕ g).
  Proof. intros p q X u v w. rewrite (rd1 _ H). clac. rewrite p, q. reflexivity. Qed.
  Lemma rd6_pair X A B (f : hom X A) (g : hom X B) : RD6_at f -> RD6_at g -> RD6_at ⟨f, g⟩.
  Proof. intros p q Y u v w. rewrite (raw_pair _ raw). clac. rewrite p, q. reflexivity. Qed.
  Lemma rd6_comp X A B (f : hom X A) (g : hom A B) : RD6_at f -> RD6_at g -> RD6_at (f ;; g).
  Proof.
    intros p q Y u v w. rewrite (raw_comp _ raw). clac. rewrite q, p. reflexivity.
  Qed.

  (** RD.7 is inherited.  By CD.5, DD[f;g] at (u,v),(w,t) is DD[g] at
      (u;f, D[f](u,v)), (D[f](u,w), DD[f]((u,v),(w,t))): both factors are symmetric. *)
  Notation RD7_at := (RD7_at (@R)).
  Lemma rd7_id A : RD7_at (id A).
  Proof. intros X u v w t. rewrite D_id. clac. reflexivity. Qed.
  Lemma rd7_fst A B : RD7_at (@fst C A B).
  Proof. intros X u v w t. rewrite D_fst. clac. reflexivity. Qed.
  Lemma rd7_snd A B : RD7_at (@snd C A B).
  Proof. intros X u v w t. rewrite D_snd. clac. reflexivity. Qed.
  Lemma rd7_bang A : RD7_at (bang A).
  Proof. intros X u v w t. apply to_one. Qed.
  Lemma rd7_zero A B : RD7_at (@zero C A B).
  Proof. intros X u v w t. rewrite D_zero. clac. reflexivity. Qed.
  Lemma rd7_plus A B (f g : hom A B) : RD7_at f -> RD7_at g -> RD7_at (f ⊕ g).
  Proof. intros p q X u v w t. rewrite D_plus. clac. rewrite p, q. reflexivity. Qed.
  Lemma rd7_pair X A B (f : hom X A) (g : hom X B) : RD7_at f -> RD7_at g -> RD7_at ⟨f, g⟩.
  Proof. intros p q Y u v w t. rewrite D_pair. clac. rewrite p, q. reflexivity. Qed.
  Lemma rd7_comp X A B (f : hom X A) (g : hom A B) : RD7_at f -> RD7_at g -> RD7_at (f ;; g).
  Proof.
    intros p q Y u v w t. rewrite D_comp. clac. rewrite q, p. reflexivity.
  Qed.

  (** RD.6 and RD.7 on elements are the type-checked forms. *)
  Lemma rd67_rdc : (forall A B (f : hom A B), RD6_at f) -> (forall A B (f : hom A B), RD7_at f) ->
    RDC (@R).
  Proof.
    intros s6 s7; split.
    - exact H.
    - intros A B f. specialize (s6 A B f (A × (B × B)) fst (snd ;; fst) (snd ;; snd)).
      unfold Reverse.D in s6. unfold cross in s6 |- *. clac. rewrite <- s6. clac. reflexivity.
    - intros A B f. fold (D f). fold (D (D f)).
      transitivity (ex ;; D (D f)); [| unfold Reverse.D at 1; rewrite !assoc; reflexivity].
      apply elem_ext; intros X u w. rewrite <- (pair_eta _ _ _ _ u), <- (pair_eta _ _ _ _ w).
      rewrite s7. unfold ex. clac. reflexivity.
  Qed.
End Forward.

(** ** Every reverse derivative is a forward derivative *)
Section Theorem16.
  Context {C : CLAC} {R : forall A B : ob C, hom A B -> hom (A × B) A}.
  Arguments R {A B} _.
  Context (H : RDC (@R)).
  Notation D := (D (@R)).

  Lemma rdc_rd6 A B (f : hom A B) : RD6_at (@R) f.
  Proof.
    intros X u v w. pose proof (rd6 _ H A B f) as e.
    transitivity (⟨u, ⟨v, w⟩⟩ ;; (cross (id A) snd ;; R f)).
    - rewrite <- e. unfold Reverse.D, cross. clac. reflexivity.
    - unfold cross. clac. reflexivity.
  Qed.

  Lemma rdc_rd7 A B (f : hom A B) : RD7_at (@R) f.
  Proof.
    intros X u v w t. pose proof (rd7 _ H A B f) as e.
    fold (D f) in e. fold (D (D f)) in e.
    assert (e' : D (D f) == ex ;; D (D f)).
    { rewrite e at 1. change (D (D f)) with (cross iota0 (id _) ;; R (R (D f)) ;; snd).
      rewrite !assoc. reflexivity. }
    rewrite e' at 1. unfold ex. clac. reflexivity.
  Qed.

  Theorem rdc_cdc : CDC (@Reverse.D C (@R)).
  Proof.
    pose proof (rd15 _ H) as H5. pose proof (rd15_raw _ H5) as raw. split.
    - intros A B f g e. unfold Reverse.D.
      rewrite (R_mor _ H5 _ _ _ _ (R_mor _ H5 _ _ _ _ e)). reflexivity.
    - intros; apply (D_plus H5).
    - intros; apply (D_zero H5).
    - intros; apply (de_add H5).
    - intros; apply (de_0 H5).
    - intros; apply (D_id H5).
    - intros; apply (D_fst H5).
    - intros; apply (D_snd H5).
    - intros; apply (D_pair H5).
    - intros; apply to_one.
    - intros; apply (D_comp H5).
    - (* CD.6 is RD.6 of R[f], by CD.5 for D[f] = (iota0 × 1);R[R[f]];snd *)
      intros A B f X a b c. change (Reverse.D (@R) f) with
        (cross iota0 (id A) ;; R (R f) ;; snd) at 1.
      rewrite (de_comp H5), (de_snd H5), (de_comp H5).
      unfold cross, iota0. clac.
      rewrite (de_pair H5), !(de_comp H5), (de_pair H5), (de_fst H5), (de_snd H5), !(de_id H5),
        (de_zero H5). clac.
      rewrite rdc_rd6, de. reflexivity.
    - intros; apply rdc_rd7.
  Qed.
End Theorem16.
