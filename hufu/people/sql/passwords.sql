-- The passwords that people chose last, as hashes. Whoever follows a link to choose one has no identity yet.

GRANT SELECT, INSERT, DELETE ON public.people_chosen_password TO hufu_app;
GRANT USAGE ON SEQUENCE public.people_chosen_password_id_seq TO hufu_app;
