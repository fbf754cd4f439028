-- The browsers in which people signed in. They are asked while somebody signs in, before anybody has an identity.

GRANT SELECT, INSERT, UPDATE, DELETE ON public.people_device TO hufu_app;
GRANT USAGE ON SEQUENCE public.people_device_id_seq TO hufu_app;
